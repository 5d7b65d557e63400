/**
 * The worker threads: starts them, sends every patch to each, knows which of them serve it, and replaces
 * one that dies.
 *
 *   publish(patch N) ──▶ worker 1 … worker n ──▶ applied N from all ──▶ settled()
 *
 * Invariant: whatever `settled` waited for is what every request from then on meets.
 */
import { createServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { CredentialUse } from '#table/credential-use.ts';
import type { TablePatch } from '#table/patch.ts';
import { redactedPlaces } from '#table/redacted-places.ts';
import type { TrafficReport } from '#telemetry/traffic-figures.ts';
import type { Logger } from '#telemetry/log.ts';
import { createWakeUp } from './wake-up.ts';
import { createHealthNews } from './health-news.ts';
import type { FromWorker, ListenAddress, ToWorker, WorkerSettings, WorkerStart } from './messages.ts';

export interface PoolOptions {
  readonly workers: number;
  readonly settings: WorkerSettings;
  /** The whole table as it is now, for a worker that starts. */
  snapshot(): TablePatch;
  readonly log: Logger;
  /** Told of every thread that starts. */
  onStart(worker: Worker): void;
  /** Told what a worker, by its place in the pool, has counted since it last told. */
  onReport(worker: number, report: TrafficReport): void;
  /** Told which credentials a worker has seen used, where that is noted. */
  onUses?(uses: readonly CredentialUse[]): void;
  /** Told whenever a worker died and is replaced. */
  onRestart(): void;
}

interface Slot {
  worker: Worker;
  /** Number of the last patch that it serves; -1 until the first. */
  applied: number;
  isListening: boolean;
  /** How often it has reported. */
  reports: number;
  startedAtMs: number;
}

/** Whoever scrapes metrics waits no longer than this for a worker that is busy. */
const collectTimeoutMs = 1_000;

/** A worker that dies sooner than this after its start is replaced only after as long. */
const restartDelayMs = 1_000;

/**
 * Makes sure that nobody listens on an address and gives its port (for port 0, a free one). Workers share
 * their port (SO_REUSEPORT), so without this a second gateway would quietly take half of the connections.
 *
 * @throws Node's error, such as EADDRINUSE or EACCES
 */
export async function reservePort({ host, port }: ListenAddress): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen({ host, port, exclusive: true }, resolve);
  });
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : port;
}

const patchMessage = (patch: TablePatch): ToWorker => ({ type: 'patch', patch, redacted: redactedPlaces(patch) });

/** What a worker says of itself. */
function note(slot: Slot, message: FromWorker): void {
  if (message.type === 'applied') slot.applied = Math.max(slot.applied, message.number);
  if (message.type === 'listening') slot.isListening = true;
  if (message.type === 'report') slot.reports += 1;
}

function workerThread(workerData: WorkerStart): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), { workerData });
}

/** See the head of this file. Threads start loading at once; they listen when `open` gives them the table. */
// oxlint-disable-next-line max-lines-per-function -- one subject: the workers' life over the slots that they share
export function createPool(options: PoolOptions) {
  const slots: Slot[] = [];
  const { wake, until } = createWakeUp();
  let latest = 0;
  let isOpen = false;
  let isStopping = false;
  let fatal: Error | undefined;

  /** Whether it is so for every worker; a worker that cannot listen ends all waiting. */
  const all = (isTrue: (slot: Slot) => boolean): boolean => {
    if (fatal !== undefined) throw fatal;
    return slots.every(isTrue);
  };

  const send = (slot: Slot, message: ToWorker): void => slot.worker.postMessage(message);

  const sendAll = (patch: TablePatch): void => {
    latest = patch.number;
    if (!isOpen) return;
    const message = patchMessage(patch);
    for (const slot of slots) send(slot, message);
  };

  const news = createHealthNews(slots, send);

  const receive = (slot: Slot, message: FromWorker): void => {
    note(slot, message);
    if (message.type === 'health' || message.type === 'suspect') news.pass(message);
    if (message.type === 'report') {
      options.onReport(slots.indexOf(slot), message.report);
      if (message.uses.length > 0) options.onUses?.(message.uses);
    }
    if (message.type === 'failed') fatal = Object.assign(new Error(message.message), { code: message.code });
    wake();
  };

  const replace = (slot: Slot, reason: unknown): void => {
    slot.applied = -1;
    slot.isListening = false;
    options.log.error({ err: reason }, 'a worker died and is replaced');
    options.onRestart();
    const delayMs = Date.now() - slot.startedAtMs < restartDelayMs ? restartDelayMs : 0;
    setTimeout(() => {
      if (!isStopping) launch(slot);
    }, delayMs);
  };

  const launch = (slot: Slot): void => {
    const worker = workerThread({ ...options.settings, isProber: slot === slots[0] });
    let reason: unknown = 'it exited';
    slot.worker = worker;
    options.onStart(worker);
    slot.startedAtMs = Date.now();
    worker.on('message', (message: FromWorker) => receive(slot, message));
    worker.on('error', (error) => (reason = error));
    worker.on('exit', () => {
      if (!isStopping) replace(slot, reason);
      wake();
    });
    if (!isOpen) return;
    send(slot, patchMessage(options.snapshot()));
    news.tell(slot);
  };

  for (let i = 0; i < options.workers; i += 1) {
    const slot = { applied: -1, isListening: false, reports: 0, startedAtMs: 0 } as Slot;
    slots.push(slot);
    launch(slot);
  }

  return {
    /** Gives every worker the table and resolves when all of them accept connections. */
    async open(): Promise<void> {
      isOpen = true;
      sendAll(options.snapshot());
      await until(() => all((slot) => slot.isListening));
    },

    /** Sends a patch to every worker; before `open` the snapshot will have it. */
    publish: sendAll,

    /** Resolves when every worker serves all that was published before the call. */
    async settled(): Promise<void> {
      const wanted = latest;
      await until(() => isStopping || all((slot) => slot.applied >= wanted));
    },

    /** Resolves when every worker that can has told what it counted; one that does not answer is not waited for. */
    async collect(): Promise<void> {
      const before = slots.map(({ reports }) => reports);
      for (const slot of slots) send(slot, { type: 'report' });
      const haveTold = (): boolean => slots.every(({ reports }, i) => reports > (before[i] ?? 0));
      const deadline = AbortSignal.timeout(collectTimeoutMs);
      deadline.addEventListener('abort', wake);
      await until(() => deadline.aborted || isStopping || haveTold());
    },

    /** How many workers accept connections. */
    get listening(): number {
      return slots.filter((slot) => slot.isListening).length;
    },

    /** Has every worker let each answer be the last of its connection. */
    leave(): void {
      for (const slot of slots) send(slot, { type: 'leave' });
    },

    /** Drains every worker: what is under way may take `graceMs`, then it is cut. */
    async stop(graceMs: number): Promise<void> {
      isStopping = true;
      const exits = slots.map(async ({ worker }) => exitOf(worker));
      for (const slot of slots) send(slot, { type: 'drain', graceMs });
      await Promise.all(exits);
      wake();
    },
  };
}

/** Resolves when a thread has ended; at once if it has already. */
async function exitOf(worker: Worker): Promise<void> {
  await new Promise<void>((resolve) => {
    worker.once('exit', () => resolve());
    if (worker.threadId === -1) resolve();
  });
}
