/**
 * What a request costs with 1,000,000 keys and 100,000 routes, beside one key and one route: both run all the time and
 * are under load by turns, each request with another key and another path.
 */
import { fileURLToPath } from 'node:url';
import { untilAnswers } from './ask.ts';
import { divideCores } from './cores.ts';
import { cpuSeconds } from './cpu-time.ts';
import { freePort } from './free-port.ts';
import { runProcess, startProcess } from './process.ts';
import { findProgram } from './program.ts';
import { progress, type BenchReport } from './report.ts';
import { spread } from './statistics.ts';
import { startUpstream } from './upstream.ts';

export interface CrowdedOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

const sizes = [
  { keys: 1, routes: 1 },
  { keys: 1_000_000, routes: 100_000 },
] as const;
type Size = (typeof sizes)[number];
const mostLoss = 0.1;

const script = fileURLToPath(new URL('crowded.lua', import.meta.url));
const program = fileURLToPath(new URL('crowded-gateway.ts', import.meta.url));

interface Slice {
  readonly requestsPerSecond: number;
  readonly cpuUs: number;
  readonly errors: number;
}

/** See the head of this file. @throws Error if there is no wrk: nothing else sends another key each time fast enough */
export async function crowdedBench({ rounds, seconds, connections }: CrowdedOptions): Promise<BenchReport> {
  const wrk = findProgram('wrk');
  if (wrk === undefined) throw new Error('needs wrk');
  const cores = divideCores();
  const upstream = await startUpstream(cores);

  const start = async ({ keys, routes }: Size) => {
    const port = await freePort();
    const numbers = [port, upstream.port, keys, routes].map(String);
    const running = startProcess(cores.onGatewayCore([process.execPath, program, ...numbers]));
    const url = `http://127.0.0.1:${port}/bench/0`;
    await untilAnswers(running, { url, headers: { apikey: 'key-0' }, everyMs: 100, deadlineMs: 120_000 });
    progress(`${keys} keys and ${routes} routes are served`);
    return { keys, routes, url, pid: running.pid, slices: [] as Slice[] };
  };
  const gateways = [];
  for (const size of sizes) gateways.push(await start(size));

  for (let round = 0; round <= rounds; round += 1) {
    for (const gateway of gateways) {
      const env = ['env', `KEYS=${gateway.keys}`, `ROUTES=${gateway.routes}`];
      const size = ['-t1', `-c${connections}`, `-d${seconds}s`];
      const before = cpuSeconds(gateway.pid) ?? Number.NaN;
      const printed = await runProcess(cores.onLoadCore([...env, wrk, ...size, '-s', script, gateway.url]));
      const used = (cpuSeconds(gateway.pid) ?? Number.NaN) - before;
      const figures = JSON.parse(printed.split('\n').findLast((line) => line.startsWith('{')) ?? '') as {
        readonly requests: number;
        readonly durationUs: number;
        readonly errors: number;
      };
      const { requests, durationUs, errors } = figures;
      const slice = { requestsPerSecond: (requests / durationUs) * 1e6, cpuUs: (used / requests) * 1e6, errors };
      if (round > 0) gateway.slices.push(slice);
    }
  }

  const [few, many] = gateways.map(({ slices }) => slices);
  const ratio = spread((many ?? []).map((slice, i) => slice.requestsPerSecond / (few?.[i]?.requestsPerSecond ?? 0)));
  const middle = (values: readonly number[]): number => spread(values).median;
  return {
    tables: [
      {
        title: 'a request with many keys and routes',
        columns: ['keys', 'routes', 'requests/s', 'µs CPU'],
        rows: gateways.map(({ keys, routes, slices }) => [
          keys.toLocaleString('en'),
          routes.toLocaleString('en'),
          middle(slices.map(({ requestsPerSecond }) => requestsPerSecond)).toFixed(0),
          middle(slices.map(({ cpuUs }) => cpuUs)).toFixed(1),
        ]),
        notes: [
          `${ratio.median >= 1 - mostLoss ? 'met' : 'MISSED'}: at most 10 % of the rate lost ` +
            `(${ratio.median.toFixed(2)}, ${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}); ${rounds} rounds of ${seconds} s`,
        ],
      },
    ],
    facts: { ratio, gateways: gateways.map(({ keys, routes, slices }) => ({ keys, routes, slices })) },
    failures: gateways.flatMap(({ keys, slices }) =>
      slices.filter(({ errors }) => errors > 0).map(({ errors }) => `with ${keys} keys: ${errors} wrong answers`),
    ),
  };
}
