import { send } from './client.ts';

/** A request whose status a test waits for. */
export interface Asked {
  readonly port: number;
  readonly path: string;
  readonly key?: string;
  readonly host?: string;
}

/** Status of one request. */
export async function statusOf({ port, path, key, host }: Asked): Promise<number> {
  const headers = [
    ...(host === undefined ? [] : [['host', host] as const]),
    ...(key === undefined ? [] : [['apikey', key] as const]),
  ];
  return (await send({ port, path, headers })).status;
}

/**
 * Asks again and again, without a pause, until the answer has this status; gives every status on the way, each
 * once for every time it changed. @throws Error after the deadline
 */
export async function untilStatus(asked: Asked, wanted: number, deadlineMs = 60_000): Promise<number[]> {
  const seen: number[] = [];
  const endMs = Date.now() + deadlineMs;
  for (;;) {
    const status = await statusOf(asked);
    if (status !== seen.at(-1)) seen.push(status);
    if (status === wanted) return seen;
    if (Date.now() > endMs) throw new Error(`${asked.path} answers ${seen.join(', ')} and not ${wanted}`);
  }
}
