import v8 from 'node:v8';
import vm from 'node:vm';

type Collect = (how: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/**
 * Collects garbage and gives the memory back to the system. To be called when a start is over: it leaves about
 * as much garbage as there are objects (lists as text, objects before they were sealed), which would stay
 * resident for good: with 10,000 consumers 140 MB of 400. It stops this thread for a tenth of a second; the
 * threads that serve go on.
 */
export function returnMemory(): void {
  // The one way to the collector without a flag of Node: https://nodejs.org/api/v8.html#v8setflagsfromstringflags
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as Collect;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** Bytes that are resident; none where no file is left to read that from (EMFILE), which must not end the process. */
function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return 0;
  }
}

const checkMs = 20_000;
const growthBytes = 48 * 1024 * 1024;

/**
 * From now on gives memory back whenever so much more of it is resident than after the last time: Secrets of
 * others may be large and many, and nothing of them is kept.
 */
export function keepReturningMemory(): void {
  returnMemory();
  // Once more after the first while in any case: what was read last is still held when a start is over.
  let leastBytes = 0;
  const timer = setInterval(() => {
    if (residentBytes() - leastBytes < growthBytes) return;
    returnMemory();
    leastBytes = residentBytes();
  }, checkMs);
  timer.unref(); // it keeps no process alive that is done
}
