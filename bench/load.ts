import { fileURLToPath } from 'node:url';
import type { Cores } from './cores.ts';
import { runProcess } from './process.ts';
import { findProgram } from './program.ts';

/** The same GET, over and over, on a number of keep-alive connections. */
export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expectedStatus: 200 | 401;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Failed connections, time-outs and answers with another status than expected. */
  readonly errors: number;
}

export interface LoadGenerator {
  readonly name: string;
  run(load: Load): Promise<LoadResult>;
}

/** Fields as arguments of a program, each behind a flag. */
export const headerArguments = (flag: string, separator: string, headers: Load['headers']): string[] =>
  Object.entries(headers).flatMap(([name, value]) => [flag, `${name}${separator}${value}`]);

interface WrkFigures {
  readonly requests: number;
  readonly durationUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly socketErrors: number;
  /** Answers with a status of 400 or more. */
  readonly refused: number;
}

const reportScript = fileURLToPath(new URL('wrk-report.lua', import.meta.url));

/**
 * wrk, with a script that makes its requests and ends with the report of `wrk-report.lua`; without one it sends the
 * same request all the time.
 *
 * @throws Error if it is not installed
 */
export function wrkGenerator(cores: Cores, script = reportScript): LoadGenerator {
  const program = findProgram('wrk');
  if (program === undefined) throw new Error('wrk is needed (apt-get install wrk)');
  return {
    name: 'wrk',
    async run({ url, headers, expectedStatus, connections, seconds }) {
      const size = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency'];
      const command = [program, ...size, '-s', script, ...headerArguments('-H', ': ', headers), url];
      const printed = await runProcess(cores.onLoadCore(command));
      const line = printed.split('\n').findLast((text) => text.startsWith('{')) ?? '';
      const figures = JSON.parse(line) as WrkFigures;
      const { requests, refused } = figures;
      return {
        requests,
        requestsPerSecond: (requests / figures.durationUs) * 1_000_000,
        p50Ms: figures.p50Us / 1_000,
        p99Ms: figures.p99Us / 1_000,
        errors: figures.socketErrors + (expectedStatus === 200 ? refused : requests - refused),
      };
    },
  };
}

interface AutocannonFigures {
  readonly duration: number;
  readonly errors: number;
  readonly requests: { readonly total: number };
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly statusCodeStats: Readonly<Record<string, { readonly count: number }>>;
}

function autocannon(cores: Cores): LoadGenerator {
  const script = fileURLToPath(import.meta.resolve('autocannon'));
  return {
    name: 'autocannon',
    async run({ url, headers, expectedStatus, connections, seconds }) {
      const size = ['-c', String(connections), '-d', String(seconds)];
      const command = [process.execPath, script, '-j', '-n', ...size, ...headerArguments('-H', '=', headers), url];
      const figures = JSON.parse(await runProcess(cores.onLoadCore(command))) as AutocannonFigures;
      const requests = figures.requests.total;
      const asExpected = figures.statusCodeStats[expectedStatus]?.count ?? 0;
      return {
        requests,
        requestsPerSecond: requests / figures.duration,
        p50Ms: figures.latency.p50,
        p99Ms: figures.latency.p99,
        errors: figures.errors + requests - asExpected,
      };
    },
  };
}

/** wrk when it is installed; autocannon, which needs far more CPU for the same load, when it is not. */
export function loadGenerator(cores: Cores): LoadGenerator {
  return findProgram('wrk') === undefined ? autocannon(cores) : wrkGenerator(cores);
}
