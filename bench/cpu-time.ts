import { readFileSync } from 'node:fs';
import { childrenOf } from './child-processes.ts';

/** The kernel counts CPU time in these for programs, on every architecture that Node runs on. */
const ticksPerSecond = 100;

/**
 * CPU seconds that a process has used, all its threads and children included. Unlike requests a second, what
 * a request costs hardly depends on who else uses the machine. Undefined where there is no Linux /proc.
 */
export function cpuSeconds(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold spaces; utime and stime are the 14th and 15th field (proc(5)).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const own = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    return childrenOf(pid).reduce((sum, child) => sum + (cpuSeconds(child) ?? 0), own);
  } catch {
    return undefined;
  }
}
