/**
 * Counts the requests of a worker. What is counted of a route are the figures that are told, so that a request costs a
 * look-up and some additions, and telling them no copy; names are joined and figures added up where somebody reads
 * them.
 */
import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import { nameInKey } from '#table/entry-name.ts';
import type { RouteEntry } from '#table/route-entry.ts';
import {
  longBucketsMs,
  mostRoutes,
  other,
  otherRoute,
  shortBucketsMs,
  type AnswerSource,
  type RouteFigures,
  type TrafficReport,
} from '#telemetry/traffic-figures.ts';
import type { RefusalReason } from './refusal-reason.ts';
import type { UpstreamFault } from './upstream.ts';

/** How an attempt at an upstream failed; `no-target`: there was none to send it to. */
export type UpstreamFailure = UpstreamFault | 'no-target';

type Counted<Names extends readonly unknown[]> = [...Names, count: number];

/** Times that fell into each bucket. */
interface TimeCounts {
  readonly counts: number[];
  sumMs: number;
}

const noLongTimes: readonly number[] = [...longBucketsMs, 0].map(() => 0);
const noShortTimes: readonly number[] = [...shortBucketsMs, 0].map(() => 0);

function addTime(times: TimeCounts, bounds: readonly number[], ms: number): void {
  let bucket = 0;
  while (bucket < bounds.length && ms > (bounds[bucket] ?? 0)) bucket += 1;
  times.counts[bucket] = (times.counts[bucket] ?? 0) + 1;
  times.sumMs += ms;
}

/** How long the parts of a request took, and the bytes of its body and its answer's. */
export interface Figures {
  readonly requestMs: number;
  /** Absent where no upstream gave an answer. */
  readonly upstreamMs?: number | undefined;
  readonly gatewayMs: number;
  readonly ingressBytes: number;
  readonly egressBytes: number;
}

const noAnswers: RouteCounts['answers'] = [];
const noFailures: RouteCounts['failures'] = [];
const noAttempts: RouteCounts['attempts'] = [];

/**
 * What is counted of one route, or of one consumer on it, until it is told. There are thousands, which every collection
 * of garbage has to look at: lists are made with their first item and are short.
 */
export class RouteCounts implements RouteFigures {
  readonly route: string;
  readonly service: string;
  readonly consumer: string;
  answers: Counted<[source: AnswerSource, status: number]>[] = noAnswers;
  ingressBytes = 0;
  egressBytes = 0;
  readonly requestMs: TimeCounts = { counts: noLongTimes.slice(), sumMs: 0 };
  readonly upstreamMs: TimeCounts = { counts: noLongTimes.slice(), sumMs: 0 };
  readonly gatewayMs: TimeCounts = { counts: noShortTimes.slice(), sumMs: 0 };
  failures: Counted<[reason: UpstreamFailure]>[] = noFailures;
  retries = 0;
  attempts: Counted<[plugin: string, outcome: string]>[] = noAttempts;

  constructor({ route, service, consumer }: Pick<RouteFigures, 'route' | 'service' | 'consumer'>) {
    this.route = route;
    this.service = service;
    this.consumer = consumer;
  }

  answered(source: AnswerSource, status: number, figures: Figures): void {
    this.#countAnswer(source, status);
    addTime(this.requestMs, longBucketsMs, figures.requestMs);
    addTime(this.gatewayMs, shortBucketsMs, figures.gatewayMs);
    if (figures.upstreamMs !== undefined) addTime(this.upstreamMs, longBucketsMs, figures.upstreamMs);
    this.ingressBytes += figures.ingressBytes;
    this.egressBytes += figures.egressBytes;
  }

  #countAnswer(source: AnswerSource, status: number): void {
    for (const known of this.answers) if (known[1] === status && known[0] === source) return void (known[2] += 1);
    this.answers = [...this.answers, [source, status, 1]];
  }

  /** Bytes that a tunnel carried, told as they come: nobody knows when it ends. */
  moved(ingressBytes: number, egressBytes: number): void {
    this.ingressBytes += ingressBytes;
    this.egressBytes += egressBytes;
  }

  attempted(plugin: string, outcome: string): void {
    for (const known of this.attempts) if (known[1] === outcome && known[0] === plugin) return void (known[2] += 1);
    this.attempts = [...this.attempts, [plugin, outcome, 1]];
  }

  /** An attempt at an upstream came to nothing. */
  failed(reason: UpstreamFailure): void {
    for (const known of this.failures) if (known[0] === reason) return void (known[1] += 1);
    this.failures = [...this.failures, [reason, 1]];
  }

  /** … and is made again. */
  retried(): void {
    this.retries += 1;
  }
}

/** Consumers of one route that are told apart, where they are; all others are told as one. */
const mostConsumers = 1_000;
const noRoute = { route: '', service: '', consumer: '' } as const;

/** See the head of this file. @param isPerConsumer whether consumers are told apart */
export function createTraffic({ isPerConsumer }: { readonly isPerConsumer: boolean }) {
  /** All since they were last told. */
  let all: RouteCounts[] = [];
  let ofRoutes = new Map<RouteEntry, RouteCounts>();
  let ofConsumers = new Map<RouteEntry, Map<string, RouteCounts>>();
  /** Who has been told apart on each route: every one is a series of the metrics for good. */
  const consumers = new WeakMap<RouteEntry, Set<string>>();
  let others: RouteCounts | undefined;
  let unmatched: RouteCounts | undefined;
  let refused = new Map<RefusalReason, number>();
  let accepted = 0;

  const make = (names: Pick<RouteFigures, 'route' | 'service' | 'consumer'>): RouteCounts => {
    const counts = new RouteCounts(names);
    all.push(counts);
    return counts;
  };

  const makeOf = (route: RouteEntry, consumer: string): RouteCounts =>
    make({ route: route.name, service: nameInKey(route.service), consumer });

  const ofRoute = (route: RouteEntry): RouteCounts => {
    let counts = ofRoutes.get(route);
    if (counts !== undefined) return counts;
    if (ofRoutes.size >= mostRoutes) return (others ??= make(otherRoute));
    ofRoutes.set(route, (counts = makeOf(route, '')));
    return counts;
  };

  /** The name by which a consumer is told on a route. */
  const toldName = (route: RouteEntry, consumer: string): string => {
    let told = consumers.get(route);
    if (told === undefined) consumers.set(route, (told = new Set()));
    if (!told.has(consumer) && told.size >= mostConsumers) return other;
    told.add(consumer);
    return consumer;
  };

  const ofConsumer = (route: RouteEntry, consumer: string): RouteCounts => {
    let known = ofConsumers.get(route);
    if (known === undefined) {
      if (ofConsumers.size >= mostRoutes) return (others ??= make(otherRoute));
      ofConsumers.set(route, (known = new Map()));
    }
    const name = toldName(route, consumer);
    let counts = known.get(name);
    if (counts === undefined) known.set(name, (counts = makeOf(route, name)));
    return counts;
  };

  return {
    /** What is counted of a route until it is next told; of none for a request that met none. */
    of(route: RouteEntry | undefined, consumer: ConsumerIdentity | undefined): RouteCounts {
      if (route === undefined) return (unmatched ??= make(noRoute));
      return isPerConsumer ? ofConsumer(route, consumer?.username ?? consumer?.id ?? '') : ofRoute(route);
    },

    refused: (reason: RefusalReason): void => void refused.set(reason, (refused.get(reason) ?? 0) + 1),
    accepted: (): void => void (accepted += 1),

    /** What came since the last time. Counting begins anew, so that other routes are told apart. */
    take(): Pick<TrafficReport, 'routes' | 'refused' | 'acceptedConnections'> {
      const taken = { routes: all, refused: [...refused], acceptedConnections: accepted };
      all = [];
      ofRoutes = new Map();
      ofConsumers = new Map();
      others = undefined;
      unmatched = undefined;
      refused = new Map();
      accepted = 0;
      return taken;
    },
  };
}

export type Traffic = ReturnType<typeof createTraffic>;
