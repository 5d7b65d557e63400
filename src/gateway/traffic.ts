/**
 * Counts the requests of a worker. What is counted lies beside the route's entry, so that a request costs one look-up
 * and some additions; names are joined and figures added up where somebody reads them.
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
  type Times,
  type TrafficReport,
} from '#telemetry/traffic-figures.ts';
import type { RefusalReason } from './refusal-reason.ts';
import type { UpstreamFault } from './upstream.ts';

/** How an attempt at an upstream failed; `no-target`: there was none to send it to. */
export type UpstreamFailure = UpstreamFault | 'no-target';

/** Times that fell into each bucket. */
class TimeCounts {
  readonly #bounds: readonly number[];
  #counts: number[];
  #sumMs = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = this.#none();
  }

  add(ms: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && ms > (this.#bounds[bucket] ?? 0)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sumMs += ms;
  }

  take(): Times {
    const taken = { counts: this.#counts, sumMs: this.#sumMs };
    this.#counts = this.#none();
    this.#sumMs = 0;
    return taken;
  }

  #none(): number[] {
    return Array.from({ length: this.#bounds.length + 1 }, () => 0);
  }
}

const count = <K>(counts: Map<K, number>, key: K): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

/** How long the parts of a request took, and the bytes of its body and its answer's. */
export interface Figures {
  readonly requestMs: number;
  /** Absent where no upstream gave an answer. */
  readonly upstreamMs?: number | undefined;
  readonly gatewayMs: number;
  readonly ingressBytes: number;
  readonly egressBytes: number;
}

/** What is counted of one route, or of one consumer on it. */
export class RouteCounts {
  readonly #names: Pick<RouteFigures, 'route' | 'service' | 'consumer'>;
  readonly #answers: Readonly<Record<AnswerSource, Map<number, number>>> = {
    service: new Map(),
    exit: new Map(),
    error: new Map(),
  };
  readonly #attempts = new Map<string, Map<string, number>>();
  readonly #failures = new Map<UpstreamFailure, number>();
  #retries = 0;
  readonly #requestMs = new TimeCounts(longBucketsMs);
  readonly #upstreamMs = new TimeCounts(longBucketsMs);
  readonly #gatewayMs = new TimeCounts(shortBucketsMs);
  #ingressBytes = 0;
  #egressBytes = 0;
  /** Whether anything came since it was last taken. */
  isTouched = false;

  constructor(names: Pick<RouteFigures, 'route' | 'service' | 'consumer'>) {
    this.#names = names;
  }

  answered(source: AnswerSource, status: number, figures: Figures): void {
    this.isTouched = true;
    count(this.#answers[source], status);
    this.#requestMs.add(figures.requestMs);
    this.#gatewayMs.add(figures.gatewayMs);
    if (figures.upstreamMs !== undefined) this.#upstreamMs.add(figures.upstreamMs);
    this.#ingressBytes += figures.ingressBytes;
    this.#egressBytes += figures.egressBytes;
  }

  /** Bytes that a tunnel carried, told as they come: nobody knows when it ends. */
  moved(ingressBytes: number, egressBytes: number): void {
    this.isTouched = true;
    this.#ingressBytes += ingressBytes;
    this.#egressBytes += egressBytes;
  }

  attempted(plugin: string, outcome: string): void {
    this.isTouched = true;
    let outcomes = this.#attempts.get(plugin);
    if (outcomes === undefined) this.#attempts.set(plugin, (outcomes = new Map()));
    count(outcomes, outcome);
  }

  /** An attempt at an upstream came to nothing. */
  failed(reason: UpstreamFailure): void {
    this.isTouched = true;
    count(this.#failures, reason);
  }

  /** … and is made again. */
  retried(): void {
    this.isTouched = true;
    this.#retries += 1;
  }

  take(): RouteFigures {
    this.isTouched = false;
    const answers = Object.entries(this.#answers).flatMap(([source, statuses]) =>
      [...statuses].map(([status, n]) => [source as AnswerSource, status, n] as const),
    );
    const attempts = [...this.#attempts].flatMap(([plugin, outcomes]) =>
      [...outcomes].map(([outcome, n]) => [plugin, outcome, n] as const),
    );
    const figures = {
      ...this.#names,
      answers,
      attempts,
      failures: [...this.#failures],
      retries: this.#retries,
      ingressBytes: this.#ingressBytes,
      egressBytes: this.#egressBytes,
      requestMs: this.#requestMs.take(),
      upstreamMs: this.#upstreamMs.take(),
      gatewayMs: this.#gatewayMs.take(),
    };
    for (const statuses of Object.values(this.#answers)) statuses.clear();
    this.#attempts.clear();
    this.#failures.clear();
    this.#retries = 0;
    this.#ingressBytes = 0;
    this.#egressBytes = 0;
    return figures;
  }
}

/** Consumers of one route that are told apart, where they are; all others are told as one. */
const mostConsumers = 1_000;

/** See the head of this file. @param isPerConsumer whether consumers are told apart */
export function createTraffic({ isPerConsumer }: { readonly isPerConsumer: boolean }) {
  let ofRoutes = new WeakMap<RouteEntry, Map<string, RouteCounts>>();
  /** How many there are: of a hundred thousand routes each would take a kilobyte, and the caches. */
  let made = 0;
  const others = new RouteCounts(otherRoute);
  /** All that have been counted on since they were last taken; others are let go of with their route. */
  let all: RouteCounts[] = [];
  const unmatched = new RouteCounts({ route: '', service: '', consumer: '' });
  let refused = new Map<RefusalReason, number>();
  let accepted = 0;

  const make = (route: RouteEntry, consumer: string): RouteCounts =>
    new RouteCounts({ route: route.name, service: nameInKey(route.service), consumer });

  const ofRoute = (route: RouteEntry, consumer: string): RouteCounts => {
    let ofConsumers = ofRoutes.get(route);
    if (ofConsumers === undefined) {
      if (made >= mostRoutes) return others;
      made += 1;
      ofRoutes.set(route, (ofConsumers = new Map()));
    }
    const name = ofConsumers.size < mostConsumers || ofConsumers.has(consumer) ? consumer : other;
    let counts = ofConsumers.get(name);
    if (counts === undefined) ofConsumers.set(name, (counts = make(route, name)));
    return counts;
  };

  return {
    /** What is counted of a route; of none for a request that met none. */
    of(route: RouteEntry | undefined, consumer: ConsumerIdentity | undefined): RouteCounts {
      const name = isPerConsumer ? (consumer?.username ?? consumer?.id ?? '') : '';
      const counts = route === undefined ? unmatched : ofRoute(route, name);
      if (!counts.isTouched) all.push(counts);
      return counts;
    },

    refused: (reason: RefusalReason): void => count(refused, reason),
    accepted: (): void => void (accepted += 1),

    /** What came since the last time. */
    take(): Pick<TrafficReport, 'routes' | 'refused' | 'acceptedConnections'> {
      const taken = {
        routes: [...new Set(all)].map((counts) => counts.take()),
        refused: [...refused],
        acceptedConnections: accepted,
      };
      all = [];
      if (made >= mostRoutes) {
        ofRoutes = new WeakMap();
        made = 0;
      }
      refused = new Map();
      accepted = 0;
      return taken;
    },
  };
}

export type Traffic = ReturnType<typeof createTraffic>;
