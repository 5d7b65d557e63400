import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import type { Effect, Problem, TimedProblem } from '#resources/verdict.ts';
import type { View } from '#store/view.ts';
import type { TableEntry } from '#table/table-entry.ts';

/** A thing that only one entry can have; `table/claims.ts` settles who. */
export interface Claim {
  /** What is wanted, such as `username:bob`. */
  readonly key: string;
  /** Who has it if this claim wins. Entries that claim for one owner (a consumer's credentials its name) share it. */
  readonly owner: string;
  /** The smallest has it; see `rank.ts`. */
  readonly rank: string;
  /** How the thing is called in the message to the one who does not get it, such as `username bob`. */
  readonly what: string;
  readonly field: string;
  /** The object that a loser of this claim is told about. */
  readonly holder: Ref;
  readonly effect: Effect;
  /** Claims of one thing that share the same are no dispute: each has it. */
  readonly shares?: string;
}

/** An entry that is in force if it holds all that it claims. */
export interface ClaimedEntry {
  readonly entry: TableEntry;
  readonly claims: readonly Claim[];
}

/** What a root comes to: all that is served because of it, and all that is wrong with it. */
export interface Translation {
  /** What it claims as a whole: without any of it no entry of it is in force. */
  readonly claims?: readonly Claim[];
  readonly entries: readonly ClaimedEntry[];
  readonly problems: readonly Problem[];
  /** See `Verdict`. */
  readonly timed?: readonly TimedProblem[];
  /** Why the object belongs to somebody else; it is then left alone, its status included. */
  readonly notOurs?: string;
  /** See `Verdict`. */
  readonly ancestors?: readonly Ref[];
}

/** Settings that change what objects mean. */
export interface TranslateSettings {
  /** Name of the ingress class whose objects are ours. */
  readonly ingressClass: string;
  /** Secret of the certificate for clients that name no host, or one that no Ingress has. */
  readonly defaultCertificate?: { readonly namespace: string; readonly name: string };
  /** How long before a credential ends people are warned, in milliseconds; absent or 0: not at all. */
  readonly keyExpiryWarningMs?: number;
  /** Domain of the cluster's DNS; without it the names of Services end in `.svc`. */
  readonly clusterDomain?: string;
}

/** Everything a translation may look at. */
export interface Context {
  readonly ref: Ref;
  readonly view: View;
  readonly settings: TranslateSettings;
}

/** A kind that is translated. Both functions are pure and do not throw for what a user wrote. */
export interface RootKind<T extends KubernetesObject = KubernetesObject> {
  translate(object: T, context: Context): Translation;
  /** Entries that keep closed what an object that fails its schema asked to have guarded. */
  translateInvalid?(object: KubernetesObject, context: Context): readonly ClaimedEntry[];
}

/** A translation without entries. */
export const nothing: Translation = { entries: [], problems: [] };
