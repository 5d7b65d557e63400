/**
 * Writes into the status of consumers when their credentials were last used. Every replica writes what it saw
 * itself; docs/decisions/0012-last-used-times.md says why that comes out right.
 *
 *   uses of this replica ──▶ later than what stands there? ──▶ due? ──▶ status of the consumer
 *
 * Invariants: no time goes back, since what is written is the later of both, and to the version that was looked
 * at; no consumer is written again before its interval is over, however many replicas see its traffic, but for the
 * first use of a credential; what stands there already is not written.
 */
import type { KubernetesObject } from '#resources/kind.ts';
import { kongConsumer } from '#resources/kong-consumer.ts';
import {
  lastUsesIn,
  lastUsesStatus,
  type CredentialNames,
  type CredentialUsed,
  type LastUses,
} from '#resources/last-used.ts';
import { refKey, refOfKey, type Ref } from '#resources/ref.ts';
import { secret } from '#resources/secret.ts';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import type { Logger } from '#telemetry/log.ts';
import { lastUsedManagerOf } from './field-owners.ts';
import type { LatestObjects } from './latest-objects.ts';
import { createStatusApply } from './status-apply.ts';
import { isUndeclared } from './write-failure.ts';
import { createWriter } from './writer.ts';

/** All in milliseconds. */
export interface LastUsedTiming {
  /** Least time between two writes of one consumer. */
  readonly intervalMs: number;
  /** Between two looks at what is due. */
  readonly sweepMs?: number;
  /** Longest time that is taken at the end for what is not written yet. */
  readonly flushMs?: number;
}

export interface LastUsedOptions extends LastUsedTiming {
  readonly api: KubernetesApi;
  readonly log: Logger;
  readonly ingressClass: string;
  readonly latest: LatestObjects;
  /** The object as it was watched last. */
  objectOf(ref: Ref): KubernetesObject | undefined;
  /** Whether this replica leads: it takes out what is gone. */
  leads(): boolean;
  /** Resolves when it is our turn for one more request. */
  turn(): Promise<void>;
  pause(ms: number): void;
  /** Milliseconds since the epoch; default the clock's. */
  now?(): number;
}

/** What this replica saw of one consumer. */
interface Seen {
  /** Times by the names of Secrets. */
  readonly times: Map<string, number>;
  /** When to look at it. */
  dueMs: number;
}

/** A consumer as it is, and as its status should be. */
interface Outlook {
  readonly ref: Ref;
  readonly object: KubernetesObject;
  readonly wanted: LastUses;
  /** Whether something that was seen is later than what stands there. */
  readonly isLater: boolean;
  /** When that is to be written. */
  readonly dueMs: number;
  /** Whether something stands there of a credential that is gone. */
  readonly hasGone: boolean;
}

const usualSweepMs = 10_000;
const usualFlushMs = 2_000;
const concurrency = 4;
/** What an administrator has to mend is not tried often. */
const refusalMs = 600_000;
const minuteMs = 60_000;
const nothing: ReadonlyMap<string, number> = new Map();

const consumerRef = (namespace: string, name: string): Ref => ({ kind: kongConsumer.kind, namespace, name });
const keyOf = ({ namespace, consumer }: CredentialNames): string => refKey(consumerRef(namespace, consumer));

const latestOf = (...times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((ms) => ms !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
};

/** In no order: replicas that have the same to write come to each in turn, and find most written. */
const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** See the head of this file. */
// oxlint-disable-next-line max-lines-per-function -- one subject: what was seen, over the writes of it
export function createLastUsed(options: LastUsedOptions) {
  const { api, log, ingressClass, latest, objectOf, turn, intervalMs, now = Date.now } = options;
  const { sweepMs = usualSweepMs, flushMs = usualFlushMs } = options;
  const apply = createStatusApply(api, lastUsedManagerOf(ingressClass), latest);
  /** By the keys of consumers; only what no status says yet. */
  const seen = new Map<string, Seen>();
  /** No writes until then: the kind has no such fields. */
  let restsUntilMs = 0;
  let hasToldRefusal = false;
  let isEnding = false;
  let isOver = false;

  /** Whether what stands there may be of the Secret that is there now, and not of one that bore its name. */
  const isOfSecret = (ref: Ref, ms: number): boolean => {
    const found = objectOf(ref);
    const createdMs = Date.parse(found?.metadata.creationTimestamp ?? '');
    return found !== undefined && !(createdMs >= ms + minuteMs);
  };

  /** About when it was written. A time that is to come is of a clock that was wrong, and says nothing of that. */
  const writtenMs = ({ consumerMs, bySecret }: LastUses): number => {
    const past = [consumerMs ?? 0, ...bySecret.values()].filter((ms) => ms <= now());
    return Math.max(0, ...past);
  };

  /** Undefined while there is no such consumer, or its list of credentials is about to come. */
  const outlookOf = (key: string): Outlook | undefined => {
    const ref = refOfKey(key);
    const watched = objectOf(ref);
    const object = latest.find(ref);
    if (watched === undefined || object === undefined) return undefined;
    if (watched.metadata.generation !== object.metadata.generation) return undefined;
    const stated = lastUsesIn(object['status']);
    const own = seen.get(key)?.times ?? nothing;
    const names = new Set((watched as { readonly credentials?: readonly string[] }).credentials);
    const wanted = new Map<string, number>();
    for (const name of names) {
      const before = stated.bySecret.get(name);
      const isKept = before !== undefined && isOfSecret({ ...ref, kind: secret.kind, name }, before);
      const ms = latestOf(isKept ? before : undefined, own.get(name));
      if (ms !== undefined) wanted.set(name, ms);
    }
    const later = [...own].filter(([name, ms]) => names.has(name) && ms > (stated.bySecret.get(name) ?? 0));
    const isFirst = later.some(([name]) => !stated.bySecret.has(name));
    return {
      ref,
      object,
      wanted: { consumerMs: latestOf(stated.consumerMs, ...wanted.values()), bySecret: wanted },
      isLater: later.length > 0,
      dueMs: isFirst || isEnding ? 0 : writtenMs(stated) + intervalMs,
      hasGone: [...stated.bySecret.keys()].some((name) => !wanted.has(name)),
    };
  };

  /** Of a million consumers few may have any. */
  const hasTimes = (ref: Ref): boolean =>
    ref.kind === kongConsumer.kind && lastUsesIn(objectOf(ref)?.['status']).bySecret.size > 0;

  const needsWrite = ({ isLater, dueMs, hasGone }: Outlook): boolean =>
    (isLater && dueMs <= now()) || (hasGone && options.leads());

  /** Forgets what stands there by now, and puts off what is not due; gives what is to be written. */
  const look = (key: string): Outlook | undefined => {
    const outlook = outlookOf(key);
    const known = seen.get(key);
    if (objectOf(refOfKey(key)) === undefined || outlook?.isLater === false) seen.delete(key);
    else if (known !== undefined && outlook !== undefined) known.dueMs = outlook.dueMs;
    return outlook !== undefined && needsWrite(outlook) ? outlook : undefined;
  };

  const rest = (): void => {
    restsUntilMs = now() + refusalMs;
    if (hasToldRefusal) return;
    hasToldRefusal = true;
    log.warn(
      { kind: kongConsumer.kind },
      'KongConsumer has no status.credentials: its CustomResourceDefinition is not ours, so that no last-used time can be kept; apply crds/kongconsumers.yaml',
    );
  };

  /** Applies what should stand there. @throws ApiError */
  const put = async ({ ref, object, wanted }: Outlook): Promise<void> => {
    try {
      await apply(ref, object, { status: lastUsesStatus(wanted), force: true });
    } catch (error) {
      if (!isUndeclared(error)) throw error;
      rest();
      return;
    }
    // Fields that the definition does not have may also be dropped without a word.
    const stated = lastUsesIn(latest.find(ref)?.['status']).bySecret;
    if ([...wanted.bySecret.keys()].some((name) => !stated.has(name))) rest();
  };

  /** Writes what a consumer needs by now. @throws ApiError */
  const write = async (key: string): Promise<undefined> => {
    if (now() < restsUntilMs || look(key) === undefined) return undefined;
    await turn();
    const outlook = look(key);
    if (outlook === undefined) return undefined;
    await put(outlook);
    look(key);
    return undefined;
  };

  const writer = createWriter({ log, concurrency, write, pause: options.pause });

  const sweep = (): void => {
    if (now() < restsUntilMs) return;
    const due = [...seen].filter(([, { dueMs }]) => dueMs <= now()).map(([key]) => key);
    for (const key of shuffled(due)) if (look(key) !== undefined) writer.add(key);
  };

  const timer = setInterval(sweep, sweepMs).unref();

  /** What was not due yet would be lost. What is used all the time others see as well: it comes last. */
  const flush = async (): Promise<void> => {
    await writer.stop();
    isEnding = true;
    const lastOf = ({ times }: Seen): number => Math.max(...times.values());
    const rarestFirst = [...seen].sort(([, a], [, b]) => lastOf(a) - lastOf(b));
    const left = rarestFirst.values();
    const work = async (): Promise<void> => {
      for (const [key] of left) {
        if (isOver) return;
        await write(key).catch((error: unknown) => log.debug({ key, err: error }, 'a last-used time is lost'));
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
  };

  return {
    /** Takes in credentials that were used, as this replica saw it. */
    used(uses: readonly CredentialUsed[]): void {
      for (const use of uses) {
        const key = keyOf(use);
        const known = seen.get(key) ?? { times: new Map<string, number>(), dueMs: 0 };
        seen.set(key, known);
        const before = known.times.get(use.secret);
        if (before === undefined) known.dueMs = 0; // it may be its first use
        known.times.set(use.secret, Math.max(before ?? 0, use.atMs));
      }
    },

    /** Takes in credentials that are gone, or were made anew under their names. */
    gone(credentials: readonly CredentialNames[]): void {
      for (const names of credentials) {
        seen.get(keyOf(names))?.times.delete(names.secret);
        if (options.leads()) writer.add(keyOf(names));
      }
    },

    /** Looks whether something stands there that is gone; for whoever begins to lead. */
    tidy(refs: readonly Ref[]): void {
      for (const ref of refs) {
        if (hasTimes(ref) && outlookOf(refKey(ref))?.hasGone === true) writer.add(refKey(ref));
      }
    },

    /** Writes what can be written in a short time, then nothing more. */
    async stop(): Promise<void> {
      clearInterval(timer);
      const ended = Promise.withResolvers<void>();
      // An API server that does not answer must not hold up the end.
      const deadline = setTimeout(ended.resolve, flushMs);
      await Promise.race([flush(), ended.promise]);
      clearTimeout(deadline);
      isOver = true;
    },
  };
}
