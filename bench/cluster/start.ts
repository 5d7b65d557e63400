import { median } from '../statistics.ts';
import { progress } from '../report.ts';
import { figuresTable, type PartReport } from './figures.ts';
import type { Replica, StartOptions } from './installation.ts';
import { residentMemory, type ResidentMemory } from '../resident-memory.ts';
import type { Stage } from './stage.ts';

const targetReadyS = 10;
export const targetResidentMB = 300;

interface Start {
  readonly readyS: number;
  readonly memory: ResidentMemory;
}

/** Starts and stops a replica on all that there is, some times. */
export async function startPart({ installation }: Stage, runs: number, options: StartOptions): Promise<PartReport> {
  const starts: Start[] = [];
  for (let run = 0; run < runs; run += 1) {
    const replica: Replica = await installation.start(options);
    const start = { readyS: replica.readyMs / 1_000, memory: residentMemory(replica.pid) };
    starts.push(start);
    progress(`ready after ${start.readyS.toFixed(2)} s with ${start.memory.nowMB} MB`);
    await replica.stop();
  }
  const ready = starts.map(({ readyS }) => readyS);
  const atReady = starts.map(({ memory }) => memory.nowMB);
  return {
    tables: [
      figuresTable(
        'start: from the start of the process to /readyz 200',
        [
          { name: 'ready, median', unit: 's', value: median(ready), target: targetReadyS },
          { name: 'ready, slowest', unit: 's', value: Math.max(...ready), target: targetReadyS },
          { name: 'resident when ready, most', unit: 'MB', value: Math.max(...atReady), target: targetResidentMB },
        ],
        [`${runs} starts`],
      ),
    ],
    facts: { targetReadyS, targetResidentMB, starts },
    failures: [],
  };
}
