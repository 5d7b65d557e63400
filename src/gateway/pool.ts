/**
 * The worker threads: starts them, sends every patch to each, knows which of them serve it, and replaces
 * one that dies, hangs or cannot listen.
 *
 *   publish(patch N) ──▶ worker 1 … worker n ──▶ applied N from all ──▶ settled()
 *
 * Invariant: whatever `settled` waited for is what every request from then on meets. A worker that has ended is not
 * waited for: it meets none, and who takes its place starts with the table of that time.
 */
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { CredentialUse } from '#table/credential-use.ts';
import type { TablePatch } from '#table/patch.ts';
import { redactedPlaces } from '#table/redacted-places.ts';
import type { TrafficReport } from '#telemetry/traffic-figures.ts';
import type { Logger } from '#telemetry/log.ts';
import { createWakeUp } from './wake-up.ts';
import { createHealthNews } from './health-news.ts';
import type { FromWorker, ListenAddress, ToWorker, WorkerSettings, WorkerStart } from './messages.ts';
import { emptySlot, note, restartDelayMs, takeDown, type Slot } from './pool-slot.ts';
import { hasStopped, lookEveryMs, newPulse } from './pulse.ts';
import { endThread } from './thread-end.ts';
import { setWorkerFlags } from './worker-flags.ts';

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
  readonly onUses?: ((uses: readonly CredentialUse[]) => void) | undefined;
  /** Told whenever a worker came to an end and is replaced. */
  onRestart(): void;
  /** Told whenever a worker hangs, before it is replaced. */
  onHang(): void;
  /** A worker whose event loop does not turn for so long hangs; 0 for never. */
  readonly hangTimeoutMs: number;
  /** Where a thread starts; that of Latchkey when absent. */
  readonly entry?: URL;
}

/** Whoever scrapes metrics waits no longer than this for a worker that is busy. */
const collectTimeoutMs = 1_000;

/** Where compiled code is kept (src/main.ts); a thread must know before it loads anything. */
const compileCache = fileURLToPath(new URL('../../node_modules/.cache/latchkey', import.meta.url));

/** What a worker may take beyond its grace to say what it counted. */
const overrunMs = 2_000;

/**
 * Makes sure that nobody listens on an address and gives its port (for port 0, a free one). Workers share
 * their port (SO_REUSEPORT), so without this a second gateway would quietly take half of the connections.
 * It is held until `probes` are disposed of: meanwhile no other port 0 becomes the same.
 *
 * @throws Node's error, such as EADDRINUSE or EACCES
 */
export async function reservePort({ host, port }: ListenAddress, probes: AsyncDisposableStack): Promise<number> {
  const probe = probes.use(createServer());
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen({ host, port, exclusive: true }, resolve);
  });
  const address = probe.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

const patchMessage = (patch: TablePatch): ToWorker => ({ type: 'patch', patch, redacted: redactedPlaces(patch) });

/** See the head of this file. Threads start loading at once; they listen when `open` gives them the table. */
// oxlint-disable-next-line max-lines-per-function -- one subject: the workers' life over the slots that they share
export function createPool(options: PoolOptions) {
  const { log, hangTimeoutMs, entry = new URL('./worker-thread.ts', import.meta.url) } = options;
  setWorkerFlags();
  const slots: Slot[] = [];
  const { wake, until } = createWakeUp();
  let latest = 0;
  let isOpen = false;
  let hasListened = false;
  let isLeaving = false;
  let isStopping = false;
  let fatal: Error | undefined;

  const up = (): readonly Slot[] => slots.filter(({ isUp }) => isUp);
  const send = (slot: Slot, message: ToWorker): void => slot.worker.postMessage(message);
  const sendAll = (message: ToWorker): void => {
    for (const slot of up()) send(slot, message);
  };
  const news = createHealthNews(slots, send);

  /** Where it cannot listen from the start, somebody else has the port, and nothing is waited for. */
  const cannotListen = (slot: Slot, { message, code }: Extract<FromWorker, { type: 'failed' }>): void => {
    const error = Object.assign(new Error(message), { code });
    if (hasListened) end(slot, { worker: slot.number, err: error }, 'a worker cannot listen and is replaced');
    else fatal = error;
  };

  const receive = (slot: Slot, message: FromWorker): void => {
    note(slot, message);
    if (message.type === 'health' || message.type === 'suspect') news.pass(message);
    if (message.type === 'report') {
      options.onReport(slot.number, message.report);
      if (message.uses.length > 0) options.onUses?.(message.uses);
    }
    if (message.type === 'failed') cannotListen(slot, message);
    wake();
  };

  const down = (slot: Slot): void => {
    takeDown(slot);
    wake();
  };

  /** Ends a thread that is of no use; until it is gone, and replaced, it may come to serve what it has read. */
  const end = (slot: Slot, about: object, what: string): void => {
    if (slot.isEnding) return;
    slot.isEnding = true;
    slot.isListening = false;
    log.error(about, what);
    endThread(
      slot.worker,
      () => send(slot, { type: 'end' }),
      () => down(slot),
    );
    wake();
  };

  const exited = (slot: Slot, reason: unknown): void => {
    if (!slot.isEnding && !isStopping) log.error({ worker: slot.number, err: reason }, 'a worker died and is replaced');
    down(slot);
    if (isStopping) return;
    options.onRestart();
    slot.restart = setTimeout(launch, restartDelayMs(slot, Date.now()), slot);
  };

  const launch = (slot: Slot): void => {
    slot.pulse = newPulse();
    const { beats } = slot.pulse;
    const workerData: WorkerStart = { ...options.settings, isProber: slot === slots[0], beats, hangTimeoutMs };
    const worker = new Worker(entry, { workerData, env: { NODE_COMPILE_CACHE: compileCache, ...process.env } });
    let reason: unknown = 'it exited';
    slot.worker = worker;
    slot.isUp = true;
    slot.isEnding = false;
    slot.startedAtMs = Date.now();
    options.onStart(worker);
    worker.on('message', (message: FromWorker) => receive(slot, message));
    worker.on('error', (error) => (reason = error));
    worker.on('exit', () => exited(slot, reason));
    if (!isOpen) return;
    send(slot, patchMessage(options.snapshot()));
    news.tell(slot);
    if (isLeaving) send(slot, { type: 'leave' });
  };

  const look = (): void => {
    for (const slot of up()) {
      if (slot.isEnding || !hasStopped(slot.pulse, slot.isListening ? 'listening' : 'starting')) continue;
      options.onHang();
      end(slot, { worker: slot.number }, 'a worker hangs and is replaced');
    }
  };

  const looking = hangTimeoutMs === 0 ? undefined : setInterval(look, lookEveryMs(hangTimeoutMs));
  for (let number = 0; number < options.workers; number += 1) {
    const slot = emptySlot(number);
    slots.push(slot);
    launch(slot);
  }

  return {
    /** Gives every worker the table and resolves when all of them accept connections. */
    async open(): Promise<void> {
      isOpen = true;
      this.publish(options.snapshot());
      await until(() => {
        if (fatal !== undefined) throw fatal;
        return slots.every(({ isListening }) => isListening);
      });
      hasListened = true;
    },

    /** Sends a patch to every worker; before `open` the snapshot will have it. */
    publish(patch: TablePatch): void {
      latest = patch.number;
      if (isOpen) sendAll(patchMessage(patch));
    },

    /** Resolves when every worker that serves, of which one must go on, serves all that was published before. */
    async settled(): Promise<void> {
      const wanted = latest;
      await until(() => {
        if (fatal !== undefined) throw fatal;
        const mayServe = up();
        const goesOn = mayServe.some(({ isEnding }) => !isEnding);
        return isStopping || (goesOn && mayServe.every(({ applied }) => applied >= wanted));
      });
    },

    /** Resolves when every worker that can has told what it counted; one that does not answer is not waited for. */
    async collect(): Promise<void> {
      const before = slots.map(({ reports }) => reports);
      sendAll({ type: 'report' });
      const haveTold = (): boolean => up().every(({ number, reports }) => reports > (before[number] ?? 0));
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
      isLeaving = true;
      sendAll({ type: 'leave' });
    },

    /** Drains every worker: what is under way may take `graceMs`, then it is cut. One that hangs is not waited for. */
    async stop(graceMs: number): Promise<void> {
      isStopping = true;
      for (const { restart } of slots) clearTimeout(restart);
      sendAll({ type: 'drain', graceMs });
      const overdue = setTimeout(() => {
        for (const slot of up()) end(slot, { worker: slot.number }, 'a worker did not drain in time and is ended');
      }, graceMs + overrunMs);
      await until(() => up().length === 0);
      clearTimeout(overdue);
      clearInterval(looking);
      wake();
    },
  };
}
