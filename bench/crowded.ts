/**
 * What a request costs with 1,000,000 keys and 100,000 routes, beside one key and one route: both run all the time and
 * are under load by turns, each request with another key and another path.
 */
import { fileURLToPath } from 'node:url';
import { untilAnswers } from './ask.ts';
import { divideCores, type Cores } from './cores.ts';
import { freePort } from './free-port.ts';
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
}

const few: Size = { keys: 1, routes: 1 };
const many: Size = { keys: 1_000_000, routes: 100_000 };
const nameOf = ({ keys, routes }: Size): string => `${keys.toLocaleString('en')} / ${routes.toLocaleString('en')}`;
const mostLoss = 0.1;

const script = fileURLToPath(new URL('crowded.lua', import.meta.url));
const program = fileURLToPath(new URL('crowded-gateway.ts', import.meta.url));

/** The script finds how many there are in the URL. */
async function start({ keys, routes }: Size, upstream: Upstream, cores: Cores): Promise<Gateway> {
  const port = await freePort();
  const numbers = [port, upstream.port, keys, routes].map(String);
  const running = startProcess(cores.onGatewayCore([process.execPath, program, ...numbers]));
  const url = `http://127.0.0.1:${port}/bench/0?keys=${keys}&routes=${routes}`;
  await untilAnswers(running, { url, headers: { apikey: 'key-0' }, everyMs: 100, deadlineMs: 120_000 });
  progress(`${keys} keys and ${routes} routes are served`);
  return { name: nameOf({ keys, routes }), pid: running.pid, url };
}

/** The rate with many, divided by that with few in the same round. */
function ratioOf(slices: ReadonlyMap<string, readonly Slice[]>): Spread {
  const [one = [], other = []] = [slices.get(nameOf(few)), slices.get(nameOf(many))];
  return spread(other.map((slice, i) => slice.requestsPerSecond / (one[i]?.requestsPerSecond ?? 0)));
}

function tableOf(slices: ReadonlyMap<string, readonly Slice[]>, ratio: Spread, rounds: string): Table {
  const verdict = ratio.median >= 1 - mostLoss ? 'met' : 'MISSED';
  const measured = `${ratio.median.toFixed(2)}, ${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`;
  const cell = (own: readonly Slice[], pick: (slice: Slice) => number | undefined): number =>
    median(own.map((slice) => pick(slice) ?? Number.NaN));
  return {
    title: 'a request with many keys and routes',
    columns: ['keys / routes', 'requests/s', 'p50 ms', 'p99 ms', 'µs CPU', 'core'],
    rows: [...slices].map(([name, own]) => [
      name,
      cell(own, (slice) => slice.requestsPerSecond).toFixed(0),
      cell(own, (slice) => slice.p50Ms).toFixed(2),
      cell(own, (slice) => slice.p99Ms).toFixed(2),
      cell(own, (slice) => slice.cpuUsPerRequest).toFixed(1),
      `${(cell(own, (slice) => slice.coreShare) * 100).toFixed(0)} %`,
    ]),
    notes: [`${verdict}: at most ${mostLoss * 100} % of the rate lost (${measured}); ${rounds}`],
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
  const ratio = ratioOf(slices);
  return {
    tables: [tableOf(slices, ratio, `${rounds} rounds of ${seconds} s, ${connections} connections`)],
    facts: { ratio, rounds, seconds, connections, slices: Object.fromEntries(slices) },
    failures: [...slices].flatMap(([name, own]) =>
      own.filter(({ errors }) => errors > 0).map(({ errors }) => `with ${name}: ${errors} wrong answers`),
    ),
  };
}
