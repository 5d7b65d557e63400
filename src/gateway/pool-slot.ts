import type { Worker } from 'node:worker_threads';
import type { FromWorker } from './messages.ts';
import { newPulse, type Pulse } from './pulse.ts';

/** One place of the pool: the thread that has it, and what is known of that. */
export interface Slot {
  readonly number: number;
  worker: Worker;
  /** Whether its thread may come to serve a request: from its start until it has ended. */
  isUp: boolean;
  /** Whether its thread is being ended, since it hangs or cannot listen. */
  isEnding: boolean;
  isListening: boolean;
  /** Number of the last patch that it serves; -1 until the first. */
  applied: number;
  /** How often it has reported. */
  reports: number;
  pulse: Pulse;
  startedAtMs: number;
  /** Threads in a row that soon came to an end. */
  failures: number;
  /** Starts the next thread. */
  restart: NodeJS.Timeout | undefined;
}

/** A place that no thread has yet. */
export const emptySlot = (number: number): Slot =>
  ({
    number,
    isUp: false,
    isEnding: false,
    isListening: false,
    applied: -1,
    reports: 0,
    pulse: newPulse(),
    startedAtMs: 0,
    failures: 0,
    restart: undefined,
  }) as Partial<Slot> as Slot;

/** Its thread serves nothing any more. */
export function takeDown(slot: Slot): void {
  slot.isUp = false;
  slot.isListening = false;
  slot.applied = -1;
}

/** What a worker says of itself. */
export function note(slot: Slot, message: FromWorker): void {
  if (message.type === 'applied') slot.applied = Math.max(slot.applied, message.number);
  if (message.type === 'listening') slot.isListening = true;
  if (message.type === 'report') slot.reports += 1;
}

/** A thread that lived for so long was none that fails at once. */
const steadyMs = 10_000;
const [firstDelayMs, longestDelayMs] = [1_000, 30_000];

/** How long the place stays empty: no time after a steady thread, ever longer after others. To be asked once a thread. */
export function restartDelayMs(slot: Slot, nowMs: number): number {
  slot.failures = nowMs - slot.startedAtMs >= steadyMs ? 0 : slot.failures + 1;
  return slot.failures === 0 ? 0 : Math.min(firstDelayMs * 2 ** (slot.failures - 1), longestDelayMs);
}
