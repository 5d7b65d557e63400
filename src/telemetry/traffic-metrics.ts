/**
 * What workers counted of requests, as Prometheus reads it: by Kong's names where its Prometheus plugin has one.
 *
 *   reports of workers ──▶ added up by route ──▶ /metrics
 */
import { Counter, Gauge, type Registry } from 'prom-client';
import { SummedHistogram } from './summed-histogram.ts';
import {
  longBucketsMs,
  mostRoutes,
  otherRoute,
  shortBucketsMs,
  type AnswerSource,
  type RouteFigures,
  type TrafficReport,
} from './traffic-figures.ts';

type Names = Pick<RouteFigures, 'route' | 'service' | 'consumer'>;

function gauges(registers: Registry[]) {
  const gauge = (name: string, help: string, labelNames: readonly string[] = ['worker']) =>
    new Gauge({ name, help, labelNames, registers });
  return {
    connections: gauge('kong_nginx_connections_total', 'Client connections: accepted so far, and open now.', [
      'worker',
      'subsystem',
      'state',
    ]),
    requests: gauge('kong_nginx_requests_total', 'Requests that were answered.', ['subsystem']),
    tunnels: gauge('latchkey_tunnels', 'WebSockets that are open.'),
    upstream: gauge('latchkey_upstream_connections', 'Connections to upstreams, in use or kept.', ['worker', 'state']),
    loopMean: gauge('latchkey_event_loop_delay_mean_seconds', 'How late a worker came to what was due, on average.'),
    loopMax: gauge('latchkey_event_loop_delay_max_seconds', 'How late at most since the last time it was asked.'),
  };
}

function counters(registers: Registry[]) {
  const counter = (name: string, help: string, labelNames: readonly string[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, bounds: readonly number[]) => {
    const made = new SummedHistogram({ name, help, labelNames: ['service', 'route'], bounds });
    for (const registry of registers) registry.registerMetric(made.forRegistry);
    return made;
  };
  return {
    requests: counter('kong_http_requests_total', 'Requests, by who answered and how.', [
      'service',
      'route',
      'code',
      'source',
      'consumer',
    ]),
    bandwidth: counter('kong_bandwidth_bytes', 'Bytes of the bodies of requests (ingress) and answers (egress).', [
      'service',
      'route',
      'direction',
      'consumer',
    ]),
    attempts: counter('latchkey_auth_attempts_total', 'Decisions of plugins on callers.', [
      'route',
      'plugin',
      'outcome',
    ]),
    refused: counter('latchkey_refused_requests_total', 'Requests refused before they had a meaning.', ['reason']),
    droppedLines: counter('latchkey_access_log_dropped_lines_total', 'Lines of the access log that nobody took.', []),
    failures: counter('latchkey_upstream_failures_total', 'Attempts at a service that came to no answer, by how.', [
      'service',
      'route',
      'reason',
    ]),
    retries: counter('latchkey_upstream_retries_total', 'Attempts that were made again, on another target if any.', [
      'service',
      'route',
    ]),
    requestMs: histogram('kong_request_latency_ms', 'Time from a request to the end of its answer.', longBucketsMs),
    upstreamMs: histogram('kong_upstream_latency_ms', "Time to the head of the service's answer.", longBucketsMs),
    gatewayMs: histogram('kong_kong_latency_ms', 'Time that the gateway itself took.', shortBucketsMs),
  };
}

/** Kong tells apart whether a service answered or itself, for whatever reason (`kong.response.get_source`). */
const kongSource = (source: AnswerSource): 'service' | 'kong' => (source === 'service' ? 'service' : 'kong');

const http = { subsystem: 'http' } as const;

/** See the head of this file. */
export function createTrafficMetrics(registers: Registry[]) {
  const sums = counters(registers);
  const now = gauges(registers);
  /** The services that have series of their own, by route. */
  const known = new Map<string, Set<string>>();
  let pairs = 0;

  /** The labels of a route: those of `other` once there are too many. */
  const namesOf = ({ route, service, consumer }: RouteFigures): Names => {
    const services = known.get(route) ?? new Set<string>();
    if (!services.has(service)) {
      if (pairs >= mostRoutes) return otherRoute;
      pairs += 1;
      known.set(route, services.add(service));
    }
    return { route, service, consumer };
  };

  const add = (figures: RouteFigures): void => {
    const { route, service, consumer } = namesOf(figures);
    for (const [source, code, n] of figures.answers) {
      sums.requests.inc({ service, route, code: String(code), source: kongSource(source), consumer }, n);
      now.requests.inc(http, n);
    }
    for (const [reason, n] of figures.failures) sums.failures.inc({ service, route, reason }, n);
    if (figures.retries > 0) sums.retries.inc({ service, route }, figures.retries);
    for (const [plugin, outcome, n] of figures.attempts) sums.attempts.inc({ route, plugin, outcome }, n);
    sums.bandwidth.inc({ service, route, direction: 'ingress', consumer }, figures.ingressBytes);
    sums.bandwidth.inc({ service, route, direction: 'egress', consumer }, figures.egressBytes);
    for (const part of ['requestMs', 'upstreamMs', 'gatewayMs'] as const)
      sums[part].add({ service, route }, figures[part]);
  };

  return {
    /** Takes in what a worker counted since its last report. */
    report(worker: number, report: TrafficReport): void {
      for (const figures of report.routes) add(figures);
      for (const [reason, n] of report.refused) sums.refused.inc({ reason }, n);
      sums.droppedLines.inc(report.droppedLines);
      const label = String(worker);
      now.connections.inc({ worker: label, ...http, state: 'accepted' }, report.acceptedConnections);
      now.connections.set({ worker: label, ...http, state: 'active' }, report.connections);
      now.tunnels.set({ worker: label }, report.tunnels);
      now.upstream.set({ worker: label, state: 'active' }, report.upstream.active);
      now.upstream.set({ worker: label, state: 'idle' }, report.upstream.idle);
      now.loopMean.set({ worker: label }, report.loopDelay.meanSeconds);
      now.loopMax.set({ worker: label }, report.loopDelay.maxSeconds);
    },

    /** Drops the series of routes that the table has no more, so that new ones get theirs. */
    async forget(routes: ReadonlySet<string>): Promise<void> {
      if (routes.size === 0) return;
      for (const route of routes) {
        pairs -= known.get(route)?.size ?? 0;
        known.delete(route);
      }
      for (const part of ['requestMs', 'upstreamMs', 'gatewayMs'] as const) sums[part].forget(routes);
      await Promise.all(
        [sums.requests, sums.bandwidth, sums.attempts, sums.failures, sums.retries].map(async (counter) =>
          drop(counter, routes),
        ),
      );
    },
  };
}

/** prom-client takes series away by all of their labels alone. */
async function drop(counter: Counter, routes: ReadonlySet<string>): Promise<void> {
  const { values } = await counter.get();
  for (const { labels } of values) if (routes.has(String(labels['route']))) counter.remove(labels);
}
