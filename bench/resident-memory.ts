import { readFileSync } from 'node:fs';
import { childrenOf } from './child-processes.ts';

/** Memory of a process with all its threads, in megabytes (of 1,000,000 bytes). */
export interface ResidentMemory {
  readonly nowMB: number;
  /** The most that it had so far. */
  readonly peakMB: number;
}

/** VmRSS and VmHWM: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
export function residentMemory(pid: number): ResidentMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Math.round((Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e5) / 10;
  return { nowMB: field('VmRSS'), peakMB: field('VmHWM') };
}

/** Of a process and all that it started, what they share counted for each. */
export function treeResidentMB(pid: number): number {
  return childrenOf(pid).reduce((sum, child) => sum + treeResidentMB(child), residentMemory(pid).nowMB);
}
