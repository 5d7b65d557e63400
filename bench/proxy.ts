/**
 * Key-auth and forward on one core, beside other gateways.
 *
 *   load generator (core 1) ──▶ gateway (core 0) ──▶ upstream (core 1)
 *
 * All gateways run all the time, one is under load at a time, each once a round. What counts is the ratio of
 * two gateways in the same round; absolute figures tell more about the machine.
 */
import { cpus } from 'node:os';
import { divideCores } from './cores.ts';
import { makeKeyring, startGateway, type Gateway, type Keyring } from './gateway.ts';
import { loadGenerator } from './load.ts';
import { allPeers } from './peers/all-peers.ts';
import type { Peer } from './peers/peer.ts';
import { findProgram } from './program.ts';
import { measureRounds, type Slice, type Workload } from './proxy-rounds.ts';
import { progress, type BenchReport } from './report.ts';
import { median, spread, type Spread } from './statistics.ts';
import type { Table } from './table.ts';
import { largePath, startUpstream } from './upstream.ts';

export interface ProxyOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly path: 'forward' | '401' | 'both';
  /** Names of peers; all that are installed if absent. */
  readonly peers?: readonly string[];
}

/** Enough that a peer that searches them one after the other would be found out. */
const keyCount = 1_000;

/** Those that every gateway is compared with. */
const references = ['nginx', 'Traefik', 'Caddy', 'http.Agent'] as const;

/** On the refusing path only our own speed is of interest, beside the two it is compared with. */
const refusingPeers: ReadonlySet<string> = new Set(['latchkey', ...references, 'HAProxy']);

function workloads({ path, connections, seconds }: ProxyOptions, { key }: Keyring): Workload[] {
  const size = { connections, seconds };
  const all: Workload[] = [
    { name: 'key-auth and forward', headers: { apikey: key }, expectedStatus: 200, ...size },
    { name: '64 KiB answer', headers: { apikey: key }, expectedStatus: 200, path: largePath, ...size },
    { name: '1,000 connections', headers: { apikey: key }, expectedStatus: 200, ...size, connections: 1_000 },
    { name: '401 without a key', headers: {}, expectedStatus: 401, ...size },
  ];
  return all.filter(({ expectedStatus }) => path === 'both' || (path === '401') === (expectedStatus === 401));
}

/** @throws Error if a name is not a peer's */
function choosePeers(names: readonly string[] | undefined): { chosen: Peer[]; leftOut: string[] } {
  const unknown = names?.find((name) => !allPeers.some((peer) => peer.name === name));
  if (unknown !== undefined)
    throw new Error(`no peer ${unknown}; there are ${allPeers.map(({ name }) => name).join(', ')}`);
  const wanted = allPeers.filter(({ name }) => names === undefined || names.includes(name));
  const isInstalled = ({ program }: Peer): boolean => program === undefined || findProgram(program) !== undefined;
  return {
    chosen: wanted.filter(isInstalled),
    leftOut: wanted.filter((peer) => !isInstalled(peer)).map(({ name }) => name),
  };
}

/** What a gateway's rounds come to. */
interface PeerResult {
  readonly name: string;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly coreShare: number | null;
  readonly cpuUsPerRequest: number | null;
  /** By the reference's name: the ratio of requests a second in each round. */
  readonly ratios: Readonly<Record<string, Spread>>;
  readonly errors: number;
  readonly rounds: readonly Slice[];
}

const medianOrNull = (values: readonly (number | undefined)[]): number | null => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? null : median(known);
};

function ratiosOf(own: readonly Slice[], slices: ReadonlyMap<string, readonly Slice[]>): Record<string, Spread> {
  const found = references.flatMap((name) => {
    const theirs = slices.get(name);
    if (theirs === undefined) return [];
    return [
      [name, spread(own.map((slice, i) => slice.requestsPerSecond / (theirs[i]?.requestsPerSecond ?? 0)))] as const,
    ];
  });
  return Object.fromEntries(found);
}

function summarise(slices: ReadonlyMap<string, readonly Slice[]>): PeerResult[] {
  return [...slices].map(([name, own]) => ({
    name,
    requestsPerSecond: median(own.map((slice) => slice.requestsPerSecond)),
    p50Ms: median(own.map((slice) => slice.p50Ms)),
    p99Ms: median(own.map((slice) => slice.p99Ms)),
    coreShare: medianOrNull(own.map((slice) => slice.coreShare)),
    cpuUsPerRequest: medianOrNull(own.map((slice) => slice.cpuUsPerRequest)),
    ratios: ratiosOf(own, slices),
    errors: own.reduce((sum, slice) => sum + slice.errors, 0),
    rounds: own,
  }));
}

const ratioCell = (ratio: Spread | undefined): string =>
  ratio === undefined ? '–' : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`;

/** Below this a gateway was not the limit: its rate, and so its ratios, say too little of it. */
const busyShare = 0.9;

function idleNote(results: readonly PeerResult[]): string[] {
  const idle = results.filter(({ coreShare }) => coreShare !== null && coreShare < busyShare).map(({ name }) => name);
  if (idle.length === 0) return [];
  return [`not at the limit of its core, so faster than shown: ${idle.join(', ')}; compare µs CPU instead`];
}

function tableOf(title: string, results: readonly PeerResult[], notes: readonly string[]): Table {
  return {
    title,
    columns: ['gateway', 'requests/s', 'p50 ms', 'p99 ms', ...references.map((name) => `× ${name}`), 'core', 'µs CPU'],
    rows: results.map((peer) => [
      peer.name,
      peer.requestsPerSecond.toFixed(0),
      peer.p50Ms.toFixed(2),
      peer.p99Ms.toFixed(2),
      ...references.map((name) => ratioCell(peer.ratios[name])),
      peer.coreShare === null ? '–' : `${(peer.coreShare * 100).toFixed(0)} %`,
      peer.cpuUsPerRequest?.toFixed(1) ?? '–',
    ]),
    notes: [...notes, ...idleNote(results)],
  };
}

/** Runs the bench `proxy`. */
export async function proxyBench(options: ProxyOptions): Promise<BenchReport> {
  const cores = divideCores();
  const generator = loadGenerator(cores);
  const keyring = makeKeyring(keyCount);
  const { chosen, leftOut } = choosePeers(options.peers);
  const upstream = await startUpstream(cores);
  const gateways: Gateway[] = [];
  for (const peer of chosen) gateways.push(await startGateway(peer, keyring, { upstream, cores }));
  progress(`each authenticates: ${gateways.map(({ name }) => name).join(', ')}`);

  const { rounds, seconds, connections } = options;
  const notes = [
    `${rounds} rounds of ${seconds} s, ${connections} connections, ${generator.name}; upstream ${upstream.name}; ${cores.description}`,
    ...(leftOut.length > 0 ? [`left out, because not installed: ${leftOut.join(', ')}`] : []),
  ];
  const measured: { name: string; peers: PeerResult[] }[] = [];
  for (const workload of workloads(options, keyring)) {
    const under = workload.expectedStatus === 200 ? gateways : gateways.filter(({ name }) => refusingPeers.has(name));
    measured.push({
      name: workload.name,
      peers: summarise(await measureRounds(under, workload, { generator, rounds })),
    });
  }
  return {
    tables: measured.map(({ name, peers }) => tableOf(name, peers, notes)),
    facts: {
      machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, pinned: cores.description },
      load: { generator: generator.name, upstream: upstream.name, connections, rounds, seconds, keys: keyCount },
      leftOut,
      workloads: measured,
    },
    failures: measured.flatMap(({ name, peers }) =>
      peers
        .filter((peer) => peer.errors > 0)
        .map((peer) => `${name}: ${peer.name} had ${peer.errors} wrong answers or errors`),
    ),
  };
}
