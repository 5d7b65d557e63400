import { setTimeout as pause } from 'node:timers/promises';
import { cpuSeconds } from './cpu-time.ts';
import type { Gateway } from './gateway.ts';
import type { Load, LoadGenerator, LoadResult } from './load.ts';
import { progress } from './report.ts';

/** One gateway under load for some seconds. */
export interface Slice extends LoadResult {
  /** CPU time of the gateway for a request; undefined where the system does not tell. */
  readonly cpuUsPerRequest: number | undefined;
  /** Share of its core that the gateway used: below 0.9 something else was the limit. */
  readonly coreShare: number | undefined;
}

/** What is measured in every round, on each gateway. */
export type Workload = Omit<Load, 'url'> & {
  readonly name: string;
  /** Below `/bench`; itself when absent. */
  readonly path?: string;
};

async function measure(gateway: Gateway, workload: Workload, generator: LoadGenerator): Promise<Slice> {
  const before = cpuSeconds(gateway.pid);
  const result = await generator.run({ ...workload, url: gateway.url + (workload.path ?? '') });
  const after = cpuSeconds(gateway.pid);
  if (before === undefined || after === undefined)
    return { ...result, cpuUsPerRequest: undefined, coreShare: undefined };
  const used = after - before;
  const cpuUsPerRequest = (used / result.requests) * 1_000_000;
  return { ...result, cpuUsPerRequest, coreShare: used / (result.requests / result.requestsPerSecond) };
}

/** The list, beginning at another place each round: no gateway always follows the same one. */
const rotated = <T>(items: readonly T[], by: number): T[] => items.map((_, i) => items[(i + by) % items.length] as T);

/**
 * The least that a gateway is loaded before anything is measured, in seconds. A gateway serves for days, and those on V8
 * get faster for some seconds of full load: a 401 takes 12 µs in the first two, 10.2 from the fourth on, 9.7 in the end.
 */
const warmUpSeconds = 10;

/** A gateway closes the last slice's connections while nothing is measured. */
const restMs = 100;

/**
 * Measures every gateway once a round, for some rounds, after a slice that does not count: compilers warm up,
 * pools fill. Because slices of all gateways alternate, a slow minute of the machine hits them alike.
 */
export async function measureRounds(
  gateways: readonly Gateway[],
  workload: Workload,
  { generator, rounds }: { readonly generator: LoadGenerator; readonly rounds: number },
): Promise<Map<string, Slice[]>> {
  const slices = new Map(gateways.map(({ name }) => [name, [] as Slice[]]));
  for (let round = 0; round <= rounds; round += 1) {
    progress(`${workload.name}: ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}`);
    for (const gateway of rotated(gateways, round)) {
      const seconds = round === 0 ? Math.max(workload.seconds, warmUpSeconds) : workload.seconds;
      const slice = await measure(gateway, { ...workload, seconds }, generator);
      if (round > 0) slices.get(gateway.name)?.push(slice);
      await pause(restMs);
    }
  }
  return slices;
}
