/**
 * Whether a worker's event loop turns. One that an endless loop holds serves nobody, and would hold up everybody who
 * waits for all workers.
 *
 *   worker ── beats ──▶ shared memory ◀── looks ── main thread
 *
 * Beats are counted in looks and not by the clock: when the process was suspended, or the main thread itself was busy,
 * a single look is missed.
 */
const looksPerTimeout = 5;
/** Before it listens a worker may take so many times as long: it loads, and applies the whole table at once. */
const startFactor = 3;

/** How often the main thread looks. */
export const lookEveryMs = (timeoutMs: number): number => Math.ceil(timeoutMs / looksPerTimeout);
/** How often a worker beats: twice between two looks. */
const beatEveryMs = (timeoutMs: number): number => Math.ceil(timeoutMs / looksPerTimeout / 2);

/** The sign of life of one thread, as the main thread reads it. */
export interface Pulse {
  /** Shared with the thread. */
  readonly beats: Int32Array;
  seen: number;
  missed: number;
}

/** Of a thread that has not begun. */
export const newPulse = (): Pulse => ({
  beats: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
  seen: 0,
  missed: 0,
});

/** Takes a look, and tells whether it is the one that a thread may not miss. */
export function hasStopped(pulse: Pulse, phase: 'starting' | 'listening'): boolean {
  const count = Atomics.load(pulse.beats, 0);
  pulse.missed = count === pulse.seen ? pulse.missed + 1 : 0;
  pulse.seen = count;
  return pulse.missed >= looksPerTimeout * (phase === 'starting' ? startFactor : 1);
}

/** In a worker: beats for as long as its event loop turns. */
export function beat(beats: Int32Array, timeoutMs: number): void {
  setInterval(() => Atomics.add(beats, 0, 1), beatEveryMs(timeoutMs)).unref();
}
