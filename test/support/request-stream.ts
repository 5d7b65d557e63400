/** Callers that never stop asking, to see whether a single request goes wrong meanwhile. */
import { keptCaller, type CallerProtocol } from './kept-caller.ts';
import type { Asked } from './until-status.ts';

/** How often each answer came: a status, or the code of the error in its place. */
type Tally = Readonly<Record<string, number>>;

export interface RequestStream {
  /** Resolves after so many more answers. */
  more(answers: number): Promise<void>;
  /** Resolves with the first answer after so many milliseconds. */
  lasting(ms: number): Promise<void>;
  /** Ends it and gives how often each answer came. */
  stop(): Promise<Tally>;
}

/** Asks over one connection of HTTP/1.1, the next request as soon as the last is answered, and counts every answer. */
export const streamRequests = (asked: Asked): RequestStream => streamOver('http', asked);

/** As `streamRequests`, over another protocol. */
export function streamOver(protocol: CallerProtocol, asked: Asked): RequestStream {
  const caller = keptCaller(asked, protocol);
  const tally: Record<string, number> = {};
  const waiting = new Set<{ readonly holds: () => boolean; resolve(): void }>();
  let isStopped = false;
  let count = 0;

  const ask = async (): Promise<void> => {
    while (!isStopped) {
      const answer = await caller.ask();
      tally[answer] = (tally[answer] ?? 0) + 1;
      count += 1;
      for (const waiter of waiting) if (waiter.holds()) waiter.resolve();
    }
  };
  const asking = ask();

  const once = async (holds: () => boolean): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = { holds, resolve };
    waiting.add(waiter);
    await promise;
    waiting.delete(waiter);
  };
  return {
    async more(answers) {
      const wanted = count + answers;
      await once(() => count >= wanted);
    },
    async lasting(ms) {
      const endMs = performance.now() + ms;
      await once(() => performance.now() >= endMs);
    },
    async stop() {
      isStopped = true;
      await asking;
      caller.close();
      return tally;
    },
  };
}
