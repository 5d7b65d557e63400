import type { Exchange, Identity } from '#plugins/plugin.ts';
import type { Credential } from '#table/credential-entry.ts';
import type { Digest } from '#table/digest.ts';
import { plainAddress, type ClientTrust } from './client-trust.ts';
import type { RequestMessage, ResponseMessage } from './client-message.ts';
import { classifyHeader } from './header-class.ts';
import { takeBody, type TakenBody } from './request-body.ts';
import type { ResponseHeader } from './response-headers.ts';
import type { GuardedRequest } from './request-guard.ts';
import type { Match } from './match.ts';
import type { ServedTable } from './served-table.ts';
import type { UsedCredentials } from './used-credentials.ts';

/** A credential that let the caller in, and what it was found by. */
export interface Proof {
  readonly digest: Buffer;
  readonly credential: Credential;
}

/** What all exchanges of a worker share. */
export interface ExchangeServices {
  readonly table: ServedTable;
  readonly digest: Digest;
  /** Undefined where nobody asks which credentials are used. */
  readonly uses: UsedCredentials | undefined;
  /** Undefined where no peer is trusted. */
  readonly trust: ClientTrust | undefined;
}

/**
 * One request on its way: what the client sent, and what plugins changed of it. A class, though it is
 * neither started nor stopped: one is made for every request, and a hidden class is what makes that cheap.
 */
export class ProxyExchange implements Exchange {
  readonly request: RequestMessage;
  readonly response: ResponseMessage;
  readonly guarded: GuardedRequest;
  readonly match: Match;
  readonly method: string;
  readonly receivedAtMs: number;
  identity: Identity | undefined = undefined;
  /** Whom the plugin that runs lets in; `PluginEntry.admits`. */
  pluginAdmits: readonly string[] | undefined = undefined;
  query: string;
  hasQuery: boolean;
  /** Lower-case names that are not forwarded; undefined while there are none. */
  removedHeaders: Set<string> | undefined = undefined;
  /** Headers that are forwarded besides the client's. */
  addedHeaders: [string, string][] | undefined = undefined;
  /** What plugins add to the answer, in their order; `isSole` takes the place of others of that name. */
  responseHeaders: ResponseHeader[] | undefined = undefined;
  body: TakenBody | undefined = undefined;
  /** What proved the caller, where that is looked at again while the request lasts; undefined elsewhere. */
  readonly proofs: Proof[] | undefined;
  replacedBody: { readonly bytes: Buffer; readonly contentType: string | undefined } | undefined = undefined;
  /** Whether the client waits for `100 Continue` before it sends its body. */
  expectsContinue: boolean;
  readonly #services: ExchangeServices;

  constructor(
    client: {
      readonly request: RequestMessage;
      readonly response: ResponseMessage;
      readonly expectsContinue: boolean;
      readonly receivedAtMs: number;
      readonly proofs?: Proof[] | undefined;
    },
    guarded: GuardedRequest,
    match: Match,
    services: ExchangeServices,
  ) {
    this.request = client.request;
    this.response = client.response;
    this.expectsContinue = client.expectsContinue;
    this.guarded = guarded;
    this.match = match;
    this.method = client.request.method ?? 'GET';
    this.receivedAtMs = client.receivedAtMs;
    this.proofs = client.proofs;
    this.query = guarded.query;
    this.hasQuery = guarded.hasQuery;
    this.#services = services;
  }

  get scheme(): 'http' | 'https' {
    return 'encrypted' in this.request.socket ? 'https' : 'http';
  }

  /** Of the other end of the connection. */
  get peerAddress(): string {
    return plainAddress(this.request.socket.remoteAddress ?? '');
  }

  /** Whether what the other end of the connection says of the client counts. */
  get isPeerTrusted(): boolean {
    const { trust } = this.#services;
    return trust !== undefined && trust.isTrusted(this.peerAddress);
  }

  get clientAddress(): string {
    const { trust } = this.#services;
    if (trust === undefined || !this.isPeerTrusted) return this.peerAddress;
    return trust.addressBehind(this.peerAddress, this.headerValues(trust.header));
  }

  get host(): string {
    return this.guarded.host;
  }

  get authority(): string {
    return this.guarded.authority;
  }

  get path(): string {
    return this.guarded.path;
  }

  get routeName(): string {
    return this.match.route.name;
  }

  headerValues(name: string): readonly string[] {
    const raw = this.request.rawHeaders;
    const values: string[] = [];
    for (let i = 0; i < raw.length; i += 2) {
      const candidate = raw[i] ?? '';
      if (candidate.length === name.length && (candidate === name || classifyHeader(candidate).lower === name))
        values.push(raw[i + 1] ?? '');
    }
    return values;
  }

  headers(): [string, string][] {
    const raw = this.request.rawHeaders;
    const pairs: [string, string][] = [];
    for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? '']);
    return pairs;
  }

  setQuery(query: string): void {
    this.query = query;
    this.hasQuery = query !== '';
  }

  removeHeader(name: string): void {
    (this.removedHeaders ??= new Set()).add(name.toLowerCase());
    this.addedHeaders = this.addedHeaders?.filter(([added]) => added.toLowerCase() !== name.toLowerCase());
  }

  setHeader(name: string, value: string): void {
    this.removeHeader(name);
    (this.addedHeaders ??= []).push([name, value]);
  }

  setResponseHeader(name: string, value: string): void {
    const others = (this.responseHeaders ?? []).filter((header) => header.name.toLowerCase() !== name.toLowerCase());
    this.responseHeaders = [...others, { name, value, isSole: true }];
  }

  addResponseHeader(name: string, value: string): void {
    (this.responseHeaders ??= []).push({ name, value, isSole: false });
  }

  async readBody(limitBytes: number): Promise<Buffer | undefined> {
    if (this.replacedBody !== undefined) return this.replacedBody.bytes;
    this.continueBody();
    this.body ??= await takeBody(this.request, limitBytes);
    return this.body.isWhole ? this.body.taken : undefined;
  }

  setBody(body: Buffer, contentType?: string): void {
    this.replacedBody = { bytes: body, contentType };
  }

  /** Tells a client that waits for it to send its body. Only once it is known that the body is wanted. */
  continueBody(): void {
    if (!this.expectsContinue) return;
    this.expectsContinue = false;
    this.response.writeContinue();
  }

  findCredential(type: string, secret: string): Credential | 'expired' | 'unknown' | 'wrong-namespace' {
    const nowMs = Date.now();
    const digest = this.#services.digest(type, secret);
    const found = this.#services.table.credentials.find(digest, nowMs);
    if (typeof found === 'string') return found;
    if (!this.#admits(found.consumer.namespace)) return 'wrong-namespace';
    this.proofs?.push({ digest, credential: found });
    this.#services.uses?.note(found, nowMs);
    return found;
  }

  /** Whether the route and the plugin that runs both let in consumers of a namespace. */
  #admits(namespace: string): boolean {
    const { admits, name } = this.match.route;
    if (admits !== undefined && !admits.includes(namespace)) return false;
    // `same` is a word, also where a namespace bears that name.
    const isAdmitted = (item: string): boolean =>
      item === 'same' ? name.startsWith(`${namespace}/`) : item === namespace;
    return this.pluginAdmits?.some(isAdmitted) ?? true;
  }

  setIdentity(identity: Identity): void {
    this.identity = identity;
  }
}
