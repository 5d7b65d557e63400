/** HTTP/2 from nghttp2's h2load. It tells no quantiles, but writes each request down. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cores } from './cores.ts';
import { headerArguments, type LoadGenerator, type LoadResult } from './load.ts';
import { runProcess } from './process.ts';
import { findProgram } from './program.ts';
import { scratchDirectory } from './scratch.ts';
import { quantile } from './statistics.ts';

/** Requests at a time on one connection, as a browser or a client of gRPC has them. */
export const streamsOfConnection = 4;

/** What it wrote down: start, status and time of each request, in columns; the times in microseconds. */
function readLog(text: string) {
  const rows = text.split('\n').filter((line) => line !== '');
  return rows.map((row) => {
    const [, status = '', us = ''] = row.split('\t');
    return { status: Number(status), ms: Number(us) / 1_000 };
  });
}

/** @throws Error with what it printed if it spoke another protocol, or no summary is there */
function numbersOf(printed: string) {
  const lost = /^requests: .* (\d+) failed, (\d+) errored, (\d+) timeout$/m.exec(printed);
  const seconds = /^finished in ([\d.]+)s,/m.exec(printed);
  if (!printed.includes('Application protocol: h2\n') || lost === null || seconds === null)
    throw new Error(`h2load did not speak HTTP/2:\n${printed}`);
  return { seconds: Number(seconds[1]), errors: lost.slice(1).reduce((sum, number) => sum + Number(number), 0) };
}

/** @throws Error if it is not installed */
export function h2loadGenerator(cores: Cores): LoadGenerator {
  const program = findProgram('h2load');
  if (program === undefined) throw new Error('h2load is needed (apt-get install nghttp2-client)');
  const log = join(scratchDirectory(), 'h2load.log');
  return {
    name: 'h2load',
    async run({ url, headers, expectedStatus, connections, seconds }): Promise<LoadResult> {
      const clients = Math.max(1, Math.round(connections / streamsOfConnection));
      const size = ['-t1', `-c${clients}`, `-m${streamsOfConnection}`, `-D${seconds}`];
      const command = [program, ...size, '--npn-list=h2', `--log-file=${log}`, ...headerArguments('-H', ': ', headers)];
      const { errors } = numbersOf(await runProcess(cores.onLoadCore([...command, url])));
      const requests = readLog(await readFile(log, 'utf8'));
      await rm(log);
      const times = requests.map(({ ms }) => ms);
      const unexpected = requests.filter(({ status }) => status !== expectedStatus).length;
      return {
        requests: requests.length,
        requestsPerSecond: requests.length / seconds,
        p50Ms: quantile(times, 0.5),
        p99Ms: quantile(times, 0.99),
        errors: Math.max(errors, unexpected),
      };
    },
  };
}
