/**
 * Tells people on their objects what became of them: conditions, addresses, Events. Only by the replica
 * that leads, only what differs from what is there; but each tells itself which credentials it saw used
 * (`last-used.ts`).
 *
 *   verdicts (after every worker acknowledged) ──▶ entries ──▶ writer ──▶ status of the object
 *   objects as they are watched ───────────────────────┘  └───▶ writer ──▶ Events
 *                                            Lease ──▶ leader ─────┘
 *
 * Every replica takes all verdicts in, so that whoever gains the Lease knows at once what should be there.
 * What is written is what is true when its turn has come, not when it was asked for. Invariant: nothing is
 * called in force before requests meet it; an idle cluster gets no write but that of the Lease.
 */
import type { KubernetesObject } from '#resources/kind.ts';
import type { CredentialNames, CredentialUsed } from '#resources/last-used.ts';
import { refKey, type Ref } from '#resources/ref.ts';
import type { Verdict } from '#resources/verdict.ts';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import type { Logger } from '#telemetry/log.ts';
import { createEventQueue } from './event-queue.ts';
import { createLastUsed, type LastUsedOptions, type LastUsedTiming } from './last-used.ts';
import { createLatestObjects } from './latest-objects.ts';
import { createLeader, type LeaderTiming } from './leader.ts';
import { createPublishedAddresses, type Publish } from './published-addresses.ts';
import { createRateLimit, type Urgency } from './rate-limit.ts';
import { createStatusQueue } from './status-queue.ts';
import { NotLeading } from './write-failure.ts';

export interface ClusterStatusOptions {
  readonly api: KubernetesApi;
  readonly log: Logger;
  /** Name of the ingress class; part of the field manager. */
  readonly ingressClass: string;
  /** Name of this process, unlike that of any other replica: holder of the Lease, reporter of Events. */
  readonly identity: string;
  /** The Lease. */
  readonly election: { readonly id: string; readonly namespace: string };
  readonly updateStatus: boolean;
  readonly emitEvents: boolean;
  /** Addresses that Ingresses get; undefined: none are written. */
  readonly publish: Publish | undefined;
  /** Writes a second to the API server, statuses and Events together. */
  readonly qps: number;
  /** How many of them may come at once. */
  readonly burst: number;
  /** The object as it was watched last, its status included. */
  objectOf(ref: Ref): KubernetesObject | undefined;
  /** How long a problem must stand before an Event tells of it, in milliseconds. Default one second. */
  readonly settleMs?: number;
  /** Whether and how often it is written when credentials were last used; absent: it is not. */
  readonly lastUsed?: LastUsedTiming & Pick<LastUsedOptions, 'now'>;
  /** Told when this replica begins or ceases to lead. */
  onLeading?(leads: boolean): void;
  /** Times of the election. */
  readonly timing?: Partial<LeaderTiming>;
}

/** What is known of one object. */
interface Entry {
  readonly verdict: Verdict;
  /** Of the object that its problems were told of. */
  readonly uid: string | undefined;
}

/** See the head of this file. */
// oxlint-disable-next-line max-lines-per-function -- one subject: what is told, over the entries and the leader that all of it shares
export function createClusterStatus(options: ClusterStatusOptions) {
  const entries = new Map<string, Entry>();
  const limit = createRateLimit(options);
  const latest = createLatestObjects((ref) => options.objectOf(ref));
  let isStopping = false;

  const turn = async (urgency: Urgency): Promise<void> => {
    await limit.take(urgency);
    if (isStopping || !leader.leads) throw new NotLeading();
  };

  const askAll = (): void => entries.forEach((_, key) => askStatus(key));
  const published = createPublishedAddresses({ ...options, changed: askAll });
  const verdictOf = (key: string): Verdict | undefined => entries.get(key)?.verdict;
  const writing = { ...options, latest, verdictOf, pause: (ms: number) => limit.pause(ms) };
  const statuses = createStatusQueue({
    ...writing,
    turn: async () => turn('urgent'),
    addresses: published.current,
  });
  const events = createEventQueue({ ...writing, turn: async () => turn('patient') });

  const askStatus = (key: string): void => {
    if (options.updateStatus && leader.leads) statuses.add(key);
  };

  /** Tells what is new since the last verdict of this very object; all of it if there was none. */
  const tellEvents = (before: Entry | undefined, { verdict, uid }: Entry): void => {
    if (!options.emitEvents || !leader.leads) return;
    events.tell(before?.uid === uid ? before?.verdict : undefined, verdict);
  };

  const leader = createLeader({
    ...options,
    gained() {
      options.onLeading?.(true);
      askAll();
      lastUsed?.tidy([...entries.values()].map(({ verdict }) => verdict.ref));
      if (options.emitEvents) for (const { verdict } of entries.values()) events.takeOver(verdict);
    },
    lost() {
      options.onLeading?.(false);
      statuses.clear();
      events.clear();
    },
  });

  const lastUsed =
    options.lastUsed === undefined || !options.updateStatus
      ? undefined
      : createLastUsed({
          ...writing,
          ...options.lastUsed,
          leads: () => leader.leads,
          turn: async () => limit.take('patient'),
        });

  const take = (verdict: Verdict): void => {
    const key = refKey(verdict.ref);
    const before = entries.get(key);
    const entry = { verdict, uid: latest.find(verdict.ref)?.metadata.uid };
    entries.set(key, entry);
    tellEvents(before, entry);
    askStatus(key);
  };

  const look = (ref: Ref): void => {
    const entry = entries.get(refKey(ref));
    if (entry === undefined) return;
    // Deleted and created anew between two verdicts that say the same: its problems are told anew.
    if (latest.find(ref)?.metadata.uid === entry.uid) askStatus(refKey(ref));
    else take(entry.verdict);
  };

  return {
    start(): void {
      if (options.updateStatus || options.emitEvents) leader.start();
    },

    /** Takes in verdicts that are true by now, and what has none any more. */
    report(verdicts: readonly Verdict[], forgotten: readonly Ref[]): void {
      for (const ref of forgotten) {
        entries.delete(refKey(ref));
        statuses.forget(ref);
        events.forget(ref);
      }
      for (const verdict of verdicts) take(verdict);
    },

    /**
     * Objects that the watch delivered, whoever wrote them: a status that was tampered with is put right.
     * To be called after `report` of the verdicts that they led to.
     */
    observed(refs: readonly Ref[]): void {
      for (const ref of refs) look(ref);
    },

    /** Credentials that were used, as this replica saw it: whether it leads or not. */
    used: (uses: readonly CredentialUsed[]): void => lastUsed?.used(uses),
    /** Credentials that are gone, or were made anew under their names. */
    gone: (credentials: readonly CredentialNames[]): void => lastUsed?.gone(credentials),

    /** The publish Service as it is now; undefined when there is none. */
    publishService: published.takeService,

    get isLeader(): boolean {
      return leader.leads;
    },

    /** Finishes what is under way, then lets another replica lead, and writes last what this one alone saw. */
    async stop(): Promise<void> {
      isStopping = true;
      limit.stop();
      await Promise.all([statuses.stop(), events.stop()]);
      await leader.stop();
      await lastUsed?.stop();
    },
  };
}
