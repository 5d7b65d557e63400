/** What the rounds of the proxy bench come to: ratios between gateways of the same round, and how far they spread. */
import type { Slice } from './proxy-rounds.ts';
import type { Scenario, Target } from './scenarios.ts';
import { median, spread, type Spread } from './statistics.ts';
import type { Table } from './table.ts';

/** Those that every gateway is compared with. */
const references = ['nginx', 'Traefik', 'Caddy', 'http.Agent'] as const;
const ours = 'latchkey';

/** What a gateway's rounds come to. */
export interface PeerResult {
  readonly name: string;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: Spread;
  readonly coreShare: number | null;
  readonly cpuUsPerRequest: number | null;
  /** By the reference's name: the ratio of requests a second in each round. */
  readonly ratios: Readonly<Record<string, Spread>>;
  readonly errors: number;
  readonly rounds: readonly Slice[];
}

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly peers: readonly PeerResult[];
}

const medianOrNull = (values: readonly (number | undefined)[]): number | null => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? null : median(known);
};

function ratiosOf(own: readonly Slice[], slices: ReadonlyMap<string, readonly Slice[]>): Record<string, Spread> {
  const found = references.flatMap((name) => {
    const theirs = slices.get(name);
    if (theirs === undefined) return [];
    const ratios = own.map((slice, i) => slice.requestsPerSecond / (theirs[i]?.requestsPerSecond ?? 0));
    return [[name, spread(ratios)] as const];
  });
  return Object.fromEntries(found);
}

export function summarise(slices: ReadonlyMap<string, readonly Slice[]>): PeerResult[] {
  return [...slices].map(([name, own]) => ({
    name,
    requestsPerSecond: median(own.map((slice) => slice.requestsPerSecond)),
    p50Ms: median(own.map((slice) => slice.p50Ms)),
    p99Ms: spread(own.map((slice) => slice.p99Ms)),
    coreShare: medianOrNull(own.map((slice) => slice.coreShare)),
    cpuUsPerRequest: medianOrNull(own.map((slice) => slice.cpuUsPerRequest)),
    ratios: ratiosOf(own, slices),
    errors: own.reduce((sum, slice) => sum + slice.errors, 0),
    rounds: own,
  }));
}

const spreadCell = (values: Spread | undefined): string =>
  values === undefined ? '–' : `${values.median.toFixed(2)} (${values.min.toFixed(2)}–${values.max.toFixed(2)})`;

/** Below this a gateway was not the limit: its rate, and so its ratios, say too little of it. */
const busyShare = 0.9;

/** What limited the rates, where it was not each gateway's own core. */
function limitNotes({ scenario, peers }: ScenarioResult): string[] {
  if (scenario.workers > 1)
    return ['load generator and upstream have the same cores, so ratios are nearer to 1: µs CPU tells more'];
  const idle = peers.filter(({ coreShare }) => coreShare !== null && coreShare < busyShare).map(({ name }) => name);
  if (idle.length === 0) return [];
  return [`not at the limit of its core, so faster than shown: ${idle.join(', ')}; compare µs CPU instead`];
}

const verdict = (isMet: boolean, target: string): string => `${isMet ? 'met' : 'MISSED'}: ${target}`;

function verdictsOf(target: Target, peers: readonly PeerResult[]): string[] {
  const [own, theirs] = [ours, target.peer].map((name) => peers.find((peer) => peer.name === name));
  if (own === undefined || theirs === undefined) return [];
  const ratio = own.ratios[target.peer]?.median ?? Number.NaN;
  const [ownP99, theirP99] = [own.p99Ms.median, theirs.p99Ms.median];
  return [
    ...(target.rate === undefined
      ? []
      : [verdict(ratio >= target.rate, `${target.rate} × ${target.peer} (${ratio.toFixed(2)})`)]),
    ...(target.p99 === undefined
      ? []
      : [
          verdict(
            ownP99 <= theirP99,
            `p99 no worse than ${target.peer}'s (${ownP99.toFixed(2)} beside ${theirP99.toFixed(2)} ms)`,
          ),
        ]),
  ];
}

/** A table of one scenario, with its targets below. */
export function tableOf(result: ScenarioResult, notes: readonly string[]): Table {
  const { scenario, peers } = result;
  const beside = references.filter((name) => peers.some((peer) => peer.name === name));
  return {
    title: `${scenario.name}: ${scenario.title}`,
    columns: ['gateway', 'requests/s', 'p50 ms', 'p99 ms', ...beside.map((name) => `× ${name}`), 'core', 'µs CPU'],
    rows: peers.map((peer) => [
      peer.name,
      peer.requestsPerSecond.toFixed(0),
      peer.p50Ms.toFixed(2),
      spreadCell(peer.p99Ms),
      ...beside.map((name) => spreadCell(peer.ratios[name])),
      peer.coreShare === null ? '–' : `${(peer.coreShare * 100).toFixed(0)} %`,
      peer.cpuUsPerRequest?.toFixed(1) ?? '–',
    ]),
    notes: [...notes, ...limitNotes(result), ...scenario.targets.flatMap((target) => verdictsOf(target, peers))],
  };
}
