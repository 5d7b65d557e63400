import { readFileSync } from 'node:fs';
import { findProgram } from './program.ts';

/** How a bench keeps what it measures away from what it measures with. */
export interface Cores {
  /** The command that runs another on the core of the gateway alone. */
  onGatewayCore(command: readonly string[]): readonly string[];
  /** The same for the load generator and the upstream. */
  onLoadCore(command: readonly string[]): readonly string[];
  /** For the report. */
  readonly description: string;
}

/** The CPUs that this process may use: `0-3,8` in /proc. None where there is no /proc. */
function allowedCpus(): number[] {
  let status = '';
  try {
    status = readFileSync('/proc/self/status', 'utf8');
  } catch {
    return [];
  }
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

const unpinned = (why: string): Cores => {
  const as = (command: readonly string[]): readonly string[] => command;
  return { onGatewayCore: as, onLoadCore: as, description: `not pinned (${why})` };
};

/** The command that keeps another to some CPUs. */
const onCpus = (taskset: string, cpus: readonly number[]) => (command: readonly string[]) => [
  taskset,
  '-c',
  cpus.join(','),
  ...command,
];

/** One core for the gateway, another for everything else, where the machine has two and can pin. */
export function divideCores(): Cores {
  const [gateway, load] = allowedCpus();
  const taskset = findProgram('taskset');
  if (taskset === undefined || gateway === undefined || load === undefined)
    return unpinned('needs Linux, taskset and two cores');
  return {
    onGatewayCore: onCpus(taskset, [gateway]),
    onLoadCore: onCpus(taskset, [load]),
    description: `gateway on core ${gateway}, load generator and upstream on core ${load}`,
  };
}

/** The first two cores for everything: the gateway has both, and so have the load generator and the upstream. */
export function shareCores(): Cores {
  const both = allowedCpus().slice(0, 2);
  const taskset = findProgram('taskset');
  if (taskset === undefined || both.length < 2) return unpinned('needs Linux, taskset and two cores');
  const on = onCpus(taskset, both);
  return { onGatewayCore: on, onLoadCore: on, description: `everything on cores ${both.join(' and ')}` };
}
