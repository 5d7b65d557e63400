import { get } from 'node:http';
import { get as getOverTls } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { Running } from './process.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One GET on a connection of its own. Over TLS whatever certificate is shown will do: that is not what is measured. */
export async function ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { headers, agent: false, rejectUnauthorized: false } as const;
    const request = (url.startsWith('https:') ? getOverTls : get)(url, options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => void (body += chunk));
      response.once('error', reject).once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.once('error', reject);
  });
}

/** What to wait for, and how long at most. */
export interface Wait {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly everyMs: number;
  readonly deadlineMs: number;
}

/**
 * Resolves as soon as a process that was just started answers 200.
 *
 * @throws Error with its output if it ends or does not answer in time
 */
export async function untilAnswers(running: Running, { url, headers, everyMs, deadlineMs }: Wait): Promise<void> {
  const end = performance.now() + deadlineMs;
  let last = 'nothing';
  for (;;) {
    try {
      const { status } = await ask(url, headers);
      if (status === 200) return;
      last = `status ${status}`;
    } catch (error) {
      last = (error as Error).message; // it does not listen yet
    }
    if (running.hasExited()) throw new Error(`it ended before it served ${url}:\n${running.output()}`);
    if (performance.now() > end) throw new Error(`no 200 from ${url}, last: ${last}\n${running.output()}`);
    await pause(everyMs);
  }
}
