/** Callers that never stop asking, to see whether a single request goes wrong meanwhile. */
import { Agent, request as httpRequest } from 'node:http';
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

/** One answer on a connection that is kept. */
async function answerOf({ port, path, key, host }: Asked, agent: Agent): Promise<string> {
  const headers = { ...(key === undefined ? {} : { apikey: key }), ...(host === undefined ? {} : { host }) };
  return new Promise((resolve) => {
    const request = httpRequest({ port, host: '127.0.0.1', path, headers, agent });
    request.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    request.once('response', (response) => {
      response.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      response.once('end', () => resolve(String(response.statusCode)));
      response.resume();
    });
    request.end();
  });
}

/** Asks over one connection, the next request as soon as the last is answered, and counts every answer. */
export function streamRequests(asked: Asked): RequestStream {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const tally: Record<string, number> = {};
  const waiting = new Set<{ readonly holds: () => boolean; resolve(): void }>();
  let isStopped = false;
  let count = 0;

  const ask = async (): Promise<void> => {
    while (!isStopped) {
      const answer = await answerOf(asked, agent);
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
      agent.destroy();
      return tally;
    },
  };
}
