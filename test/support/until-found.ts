import { send } from './client.ts';
import type { LatchkeyProcess } from './latchkey-process.ts';
import { until } from './until.ts';

/** Asks a server again and again until the answer is not undefined; gives it. @throws Error after the deadline */
export async function untilFound<T>(what: string, ask: () => Promise<T | undefined>, deadlineMs = 60_000): Promise<T> {
  const endMs = Date.now() + deadlineMs;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    if (Date.now() > endMs) throw new Error(`did not happen within ${deadlineMs} ms: ${what}`);
  }
}

/** What a replica prints from now on. */
export function printedSince({ child, output }: LatchkeyProcess) {
  const from = output().length;
  return {
    text: (): string => output().slice(from),
    /** Resolves when it has printed this. @throws Error after the deadline */
    async says(wanted: RegExp, deadlineMs = 60_000): Promise<string> {
      return until({
        what: `latchkey prints ${String(wanted)}`,
        deadlineMs,
        subscribe: (check) => {
          child.stdout?.on('data', check);
          return () => child.stdout?.off('data', check);
        },
        holds: () => wanted.exec(output().slice(from))?.[0],
      });
    },
  };
}

/** Asks for readiness until it answers this status and text. @throws Error after the deadline */
export async function untilReadiness(
  { statusPort }: LatchkeyProcess,
  wanted: { readonly status: number; readonly text?: RegExp },
  deadlineMs = 60_000,
): Promise<string> {
  let last = '';
  return untilFound(
    `readiness ${wanted.status} ${String(wanted.text)}`,
    async () => {
      const answer = await send({ port: statusPort, path: '/readyz' }).catch(() => ({ status: 0, body: '' }));
      last = answer.body;
      return answer.status === wanted.status && (wanted.text?.test(answer.body) ?? true) ? answer.body : undefined;
    },
    deadlineMs,
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; it says ${last}`);
  });
}
