/**
 * What a request costs with 1,000,000 keys and 100,000 routes, beside one key and one route: both run all the time and
 * are under load by turns. Each request has any of the keys, any of the hosts and any of its routes, each as likely as the
 * others: real callers ask for the same again and again, which caches like better.
 */
import { fileURLToPath } from 'node:url';
import { imageNodeFlags, imageTunables } from '../test/support/image-entrypoint.ts';
import { untilAnswers } from './ask.ts';
import { divideCores, type Cores } from './cores.ts';
import { freePort } from '../test/support/free-port.ts';
import type { Gateway } from './gateway.ts';
import { wrkGenerator } from './load.ts';
import { startProcess } from './process.ts';
import { measureRounds, type Slice } from './proxy-rounds.ts';
import { progress, type BenchReport } from './report.ts';
import { median, spread, type Spread } from './statistics.ts';
import type { Table } from './table.ts';
import { startUpstream, type Upstream } from './upstream.ts';

export interface CrowdedOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

interface Size {
  readonly keys: number;
  readonly routes: number;
  readonly hosts: number;
}

const few: Size = { keys: 1, routes: 1, hosts: 1 };
const many: Size = { keys: 1_000_000, routes: 100_000, hosts: 10_000 };
const nameOf = ({ keys, routes, hosts }: Size): string =>
  [keys, routes, hosts].map((number) => number.toLocaleString('en')).join(' / ');
const mostLoss = 0.1;

const script = fileURLToPath(new URL('crowded.lua', import.meta.url));
const program = fileURLToPath(new URL('crowded-gateway.ts', import.meta.url));

/** The script finds how many there are in the URL. */
async function start({ keys, routes, hosts }: Size, upstream: Upstream, cores: Cores): Promise<Gateway> {
  const port = await freePort();
  const numbers = [port, upstream.port, keys, routes, hosts].map(String);
  const asShipped = ['env', imageTunables(), process.execPath, ...imageNodeFlags()];
  const running = startProcess(cores.onGatewayCore([...asShipped, program, ...numbers]));
  const url = `http://127.0.0.1:${port}/bench/0?keys=${keys}&routes=${routes}&hosts=${hosts}`;
  const headers = { host: 'tenant-0.example.com', apikey: 'key-0' };
  await untilAnswers(running, { url, headers, everyMs: 100, deadlineMs: 120_000 });
  progress(`${keys} keys and ${routes} routes of ${hosts} hosts are served`);
  return { name: nameOf({ keys, routes, hosts }), pid: running.pid, url };
}

const ratioCell = ({ median: middle, min, max }: Spread): string =>
  `${middle.toFixed(2)}, ${min.toFixed(2)}–${max.toFixed(2)}`;

/** What it is with many, divided by what it is with few in the same round. */
function ratioOf(slices: ReadonlyMap<string, readonly Slice[]>, pick: (slice: Slice) => number): Spread {
  const [one = [], other = []] = [few, many].map((size) => slices.get(nameOf(size))?.map(pick));
  return spread(other.map((value, i) => value / (one[i] ?? Number.NaN)));
}

const rate = (slice: Slice): number => slice.requestsPerSecond;
const cpu = (slice: Slice): number => slice.cpuUsPerRequest ?? Number.NaN;

function rowOf([name, slices]: readonly [string, readonly Slice[]]): string[] {
  const cell = (pick: (slice: Slice) => number, digits: number): string => median(slices.map(pick)).toFixed(digits);
  const core = (slice: Slice): number => (slice.coreShare ?? Number.NaN) * 100;
  const times = [cell(({ p50Ms }) => p50Ms, 2), cell(({ p99Ms }) => p99Ms, 2)];
  return [name, cell(rate, 0), ...times, cell(cpu, 1), `${cell(core, 0)} %`];
}

function tableOf(slices: ReadonlyMap<string, readonly Slice[]>, rounds: string): Table {
  const ratio = ratioOf(slices, rate);
  const verdict = ratio.median >= 1 - mostLoss ? 'met' : 'MISSED';
  return {
    title: 'a request with many keys and routes',
    columns: ['keys / routes / hosts', 'requests/s', 'p50 ms', 'p99 ms', 'µs CPU', 'core'],
    rows: [...slices].map(rowOf),
    notes: [
      `${verdict}: at most ${mostLoss * 100} % of the rate lost (${ratioCell(ratio)}); ${rounds}`,
      `CPU time of a request with many, as a ratio to that with few: ${ratioCell(ratioOf(slices, cpu))}`,
    ],
  };
}

/** See the head of this file. @throws Error if there is no wrk: nothing else sends another key each time fast enough */
export async function crowdedBench({ rounds, seconds, connections }: CrowdedOptions): Promise<BenchReport> {
  const cores = divideCores();
  const generator = wrkGenerator(cores, script);
  const upstream = await startUpstream(cores);
  const gateways: Gateway[] = [];
  for (const size of [few, many]) gateways.push(await start(size, upstream, cores));

  const workload = { name: 'many keys and routes', headers: {}, expectedStatus: 200, connections, seconds } as const;
  const slices = await measureRounds(gateways, workload, { generator, rounds });
  return {
    tables: [tableOf(slices, `${rounds} rounds of ${seconds} s, ${connections} connections`)],
    facts: {
      ratio: ratioOf(slices, rate),
      cpuRatio: ratioOf(slices, cpu),
      rounds,
      seconds,
      connections,
      slices: Object.fromEntries(slices),
    },
    failures: [...slices].flatMap(([name, own]) =>
      own.filter(({ errors }) => errors > 0).map(({ errors }) => `with ${name}: ${errors} wrong answers`),
    ),
  };
}
