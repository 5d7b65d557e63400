/**
 * The end of a worker thread that is of no use any more: its connections first, then the thread. The other way round
 * Node 26 aborts the whole process as soon as DATA comes on a stream of HTTP/2 that was opened where no JavaScript runs
 * any more (nodejs/node#38418), and that is what `Worker.terminate` and an exception that nobody catches both do.
 */
import { Session } from 'node:inspector';
import type { Worker } from 'node:worker_threads';

/** What a thread whose event loop turns needs to end itself. */
const ownEndMs = 250;
/** After so long nothing but `terminate` is left, whatever else it ends. */
const lastResortMs = 2_000;

/**
 * In the main thread: ends a thread whatever it does. One that executes something without an end is broken off there, as
 * a debugger would do it.
 *
 *   ask ──▶ no end ──▶ break off, ask again ──▶ no end ──▶ terminate
 *
 * @param ask has the thread do `endInOrder`; asked twice it may be
 * @param onLost told when the thread had to be terminated; whether it ever ends is not certain
 */
export function endThread(worker: Worker, ask: () => void, onLost: () => void): void {
  let broken: Session | undefined;
  const breaking = setTimeout(() => (broken = breakOff(worker.threadId, ask)), ownEndMs);
  const terminating = setTimeout(() => {
    void worker.terminate();
    onLost();
  }, lastResortMs);
  worker.once('exit', () => {
    clearTimeout(breaking);
    clearTimeout(terminating);
    broken?.disconnect();
  });
  ask();
}

/** What the debugger of a thread is asked. */
const terminateExecution = JSON.stringify({ id: 1, method: 'Runtime.terminateExecution' });

/** Ends what a thread is executing; its event loop goes on, which `whenDone` is told of. */
function breakOff(threadId: number, whenDone: () => void): Session | undefined {
  if (!process.features.inspector) return undefined;
  const session = new Session();
  session.connect();
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    const { sessionId, workerInfo } = params;
    // `workerId` is a number of this session's own.
    if (!workerInfo.title.startsWith(`[worker ${threadId}] `)) return;
    session.post('NodeWorker.sendMessageToWorker', { sessionId, message: terminateExecution });
  });
  session.on('NodeWorker.receivedMessageFromWorker', whenDone);
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  return session;
}

/**
 * In a worker: from now on an exception that nobody catches closes its connections before it ends the thread.
 *
 * @param hangUp closes every connection at once, and takes no new one
 * @returns what ends the thread in the same order
 */
export function endInOrder(hangUp: () => void): () => void {
  let isEnding = false;
  const end = (last: () => void): void => {
    if (isEnding) return;
    isEnding = true;
    hangUp();
    // What the socket has read already is gone through in this turn of the event loop.
    setImmediate(last);
  };
  const onUncaught = (error: unknown): void =>
    end(() => {
      process.off('uncaughtException', onUncaught);
      throw error;
    });
  process.on('uncaughtException', onUncaught);
  return () => end(() => process.exit());
}
