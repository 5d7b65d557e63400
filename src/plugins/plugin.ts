/**
 * What a plugin is, on both sides.
 *
 *   control side (schema.ts)     what its config may be; the kind of credential it checks
 *   data side    (handler.ts)    what it does with a request on its way
 *
 * A new plugin is a folder, a line in `schemas.ts`, a line in `handlers.ts` and its place in
 * `pluginOrder`; the gateway does not change.
 */
import type { Static, TObject } from 'typebox';
import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import type { Credential } from '#table/credential-entry.ts';

/**
 * The order in which plugins run on a request, first to last, each with why it stands where it stands.
 * The places are those that Kong's priorities give (kong-facts 1.1).
 */
export const pluginOrder = [
  // Browsers send preflights without a key, and pages may read refusals too (2000).
  'cors',
  // Authentication: everything after it may depend on who the caller is (Kong: 1250).
  'key-auth',
  // (1100) With `anonymous` on both, it lets in whom key-auth did not know.
  'basic-auth',
  // It goes by who the caller is (950).
  'acl',
  // It changes nothing on the way (13).
  'prometheus',
  // It answers what all the others have let through (2).
  'request-termination',
] as const;

/** The kind of credential that a plugin goes by, read from Secrets labelled with its type. */
export type CredentialSchema = ProofSchema | GroupSchema;

/** A credential that proves who the caller is. */
export interface ProofSchema {
  /** Value of the label konghq.com/credential. */
  readonly type: string;
  /** The data field whose value proves the caller. It is sealed on arrival: only its digest is kept. */
  readonly secretField: string;
  /** The data field that may hold `sha256:<hex>` of that value in its stead, so that no Secret tells it. */
  readonly hashField?: string;
  /**
   * The data field that names the credential, if it has a name besides its secret; two credentials of a type
   * never share one. The digest is then of `<name>:<secret>`.
   */
  readonly nameField?: string;
  /** Data fields that may be kept as they are. */
  readonly readableFields: readonly string[];
}

/** A credential that proves nothing: it puts its consumer in a group. */
export interface GroupSchema {
  readonly type: string;
  /** The data field that names the group. */
  readonly groupField: string;
}

/** Control side of a plugin. */
export interface PluginSchema<S extends TObject = TObject> {
  readonly name: string;
  /** Schema of `config`; `default`s are filled in, unknown fields are refused. */
  readonly config: S;
  /** Finer checks of a config that fits the schema. Field paths start at `config`. */
  refine?(config: Static<S>): readonly { readonly field: string; readonly message: string }[];
  /** Fields of a config that fits the schema which ask for what is not done, and harm nobody for it. */
  ignored?(config: Static<S>): readonly { readonly field: string; readonly message: string }[];
  /** Names of consumers (username or id) that the config refers to. */
  consumersOf?(config: Static<S>): readonly string[];
  readonly credential?: CredentialSchema;
  /** Whether it finds out who the caller is, so that it cannot be attached to a consumer. */
  readonly authenticates?: true;
  /** Whether it runs for all callers alike all the same (Kong's `no_consumer`), so that it cannot be attached to one. */
  readonly isForAllCallers?: true;
}

/** An answer that a plugin gives instead of letting the request through. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  /** Header names and values that the answer carries besides the usual ones. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Sent as it is instead of the body that the client's Accept asks for; without a type, no Content-Type. */
  readonly body?: { readonly text: string; readonly contentType?: string };
  /** What a log of attempts says of it; never told to the client. */
  readonly outcome: string;
}

/** Data side of a plugin. */
export interface PluginHandler<Config = unknown> {
  readonly name: string;
  /** It decides nothing about callers: neither what it lets pass nor what it answers is an attempt to be told. */
  readonly isIndifferent?: true;
  /**
   * Runs before the request is forwarded. Gives a refusal, or nothing to let it through. Only a handler
   * that must wait (for the request's body) may give a promise: what is synchronous stays fast.
   */
  access(
    config: Config,
    exchange: Exchange,
    context: PluginContext,
  ): Refusal | undefined | Promise<Refusal | undefined>;
  /** Names of fields and arguments that it looks for a secret under; their values are never logged. */
  secretNames?(config: Config): readonly string[];
}

/** What a handler is told about the instance that runs. */
export interface PluginContext {
  /** Consumers that the config names; a name that is absent does not exist. */
  readonly consumers: Readonly<Record<string, ConsumerIdentity>>;
}

/** One request on its way, as plugins see and change it. Changes are to what the upstream will get. */
export interface Exchange {
  /** As the client sent it, upper-case for every standard method. */
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** Of the client itself where trusted proxies speak for it, else of the other end of the connection. */
  readonly clientAddress: string;
  /** Lower-case host that the client asked for, without port. */
  readonly host: string;
  /** Value of Host as it came. */
  readonly authority: string;
  /** Normalised path, as it was matched. */
  readonly path: string;
  /** Name of the route that matched, for logs. */
  readonly routeName: string;
  /** Every value of a header in the order they came, not joined; the name in lower case. */
  headerValues(name: string): readonly string[];
  /** Every header as the client sent it, in its spelling and order. */
  headers(): readonly (readonly [name: string, value: string])[];
  /** The raw query without its `?`; '' when there is none. */
  readonly query: string;
  /** Replaces the query that is forwarded; '' takes it away. */
  setQuery(query: string): void;
  /** Removes a header, in whatever case, from what is forwarded. */
  removeHeader(name: string): void;
  /** Replaces every header of that name by one. */
  setHeader(name: string, value: string): void;
  /**
   * The whole body if it has at most `limitBytes`, undefined if it has more. Nothing is lost to the
   * upstream either way. An absent body is an empty one.
   */
  readBody(limitBytes: number): Promise<Buffer | undefined>;
  /** Replaces the body that is forwarded, once `readBody` gave one, and its Content-Type if stated. */
  setBody(body: Buffer, contentType?: string): void;
  /** Sets a header of the answer to the client, whoever gives it; it takes the place of the upstream's. */
  setResponseHeader(name: string, value: string): void;
  /** Adds a header to the answer to the client beside those of the same name. */
  addResponseHeader(name: string, value: string): void;
  /**
   * The credential of a type that a secret proves (with a name: `<name>:<secret>`). An expired one must look like an unknown one to the
   * client, and so must one whose consumer is of a namespace that is not admitted here; that they differ is for the
   * log of attempts. Takes the same time whatever the answer.
   */
  findCredential(type: string, secret: string): Credential | 'expired' | 'unknown' | 'wrong-namespace';
  /** Who the caller is: set by the plugin that authenticated it. */
  readonly identity: Identity | undefined;
  setIdentity(identity: Identity): void;
}

/** An authenticated caller, or the anonymous consumer (which has no credential). */
export interface Identity {
  readonly consumer: ConsumerIdentity;
  readonly credentialId?: string;
  /** Groups that the plugin found out itself, such as those of a directory. */
  readonly authenticatedGroups?: readonly string[];
}
