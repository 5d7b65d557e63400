/**
 * What an upstream gets of requests over HTTP/2 is what was sent, or the request is refused. LATCHKEY_FUZZ_SECONDS makes
 * it run longer than the usual 8.
 *
 *   fields, DATA ─┬─▶ gateway ─▶ raw upstream    what came there …
 *                 └─▶ RFC 9113 as predicates     … must be what these say of it
 */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFrames } from '../support/http2-frames.ts';
import {
  expectedFields,
  framesOf,
  fuzzRequests,
  isLate,
  isMalformed,
  type FuzzRequest,
} from '../support/http2-fuzz.ts';
import { oneUpstream } from '../support/raw-stage.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';

const seconds = Number(process.env['LATCHKEY_FUZZ_SECONDS'] ?? 8);

let upstream: Awaited<ReturnType<typeof startRawUpstream>>;
let gateway: Awaited<ReturnType<typeof oneUpstream>>;
beforeAll(async () => {
  upstream = await startRawUpstream();
  gateway = await oneUpstream(upstream.port);
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

/** What is not of the client. */
const own =
  /^(?:host|connection|transfer-encoding|content-length|via|x-mark|x-real-ip|x-kong-request-id|x-forwarded-.*)$/;

interface Seen {
  readonly start: string;
  readonly fields: Map<string, string[]>;
  readonly body: string;
}

/** A body in chunks, put together. */
function unchunked(bytes: string): string {
  const end = bytes.indexOf('\r\n');
  const length = Number.parseInt(bytes.slice(0, end), 16);
  const from = end + 2;
  return length === 0 ? '' : bytes.slice(from, from + length) + unchunked(bytes.slice(from + length + 2));
}

function read(request: string): Seen {
  const end = request.indexOf('\r\n\r\n');
  const [start = '', ...lines] = request.slice(0, end).split('\r\n');
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    fields.set(name, [...(fields.get(name) ?? []), line.slice(colon + 2)]);
  }
  const rest = request.slice(end + 4);
  return { start, fields, body: fields.has('transfer-encoding') ? unchunked(rest) : rest };
}

/** Puts frames of several streams among each other, each stream's in their order. */
function interleave(all: readonly (readonly Buffer[])[], order: readonly number[]): Buffer[] {
  const queues = all.map((frames) => [...frames]);
  const mixed: Buffer[] = [];
  for (let i = 0; queues.some(({ length }) => length > 0); i += 1) {
    const open = queues.filter(({ length }) => length > 0);
    const next = open[(order[i % order.length] ?? 0) % open.length]?.shift();
    if (next !== undefined) mixed.push(next);
  }
  return mixed;
}

/** Sends requests on streams of one connection; gives how each ended: a status, or an error. */
async function ends(requests: readonly FuzzRequest[], order: readonly number[], mark: string): Promise<string[]> {
  const client = openFrames(gateway.port);
  // A stream whose number is less than that of one that came before is none: they open in order.
  const frames = requests.map((request, i) => framesOf(request, 2 * i + 1, `${mark} ${i}`));
  await client.send(...frames.map(([head]) => head ?? Buffer.alloc(0)));
  await client.send(
    ...interleave(
      frames.map((all) => all.slice(1)),
      order,
    ),
  );
  const endOf = (i: number): string | undefined =>
    client
      .story()
      .find((told) => told.startsWith(`${2 * i + 1}: `))
      ?.slice(`${2 * i + 1}: `.length);
  await client.untilHeld('an end of each', () => requests.every((_, i) => endOf(i) !== undefined));
  client.socket.destroy();
  return requests.map((_, i) => endOf(i) ?? '');
}

function check(request: FuzzRequest, end: string, seen: Seen | undefined): void {
  if (isMalformed(request)) {
    if (isLate(request)) return;
    expect([end, seen], 'of a malformed request').toEqual([expect.stringMatching(/ERROR$/), undefined]);
    return;
  }
  expect(end).toBe('200');
  expect(seen?.start).toBe(`${request.method} ${request.path} HTTP/1.1`);
  expect(new Map([...(seen?.fields ?? [])].filter(([name]) => !own.test(name)))).toEqual(expectedFields(request));
  expect(seen?.body).toBe((request.body ?? []).join(''));
}

test('an upstream gets what was sent, or nothing', { timeout: (seconds + 60) * 1_000 }, async () => {
  let whole = 0;
  const batch = fc.array(fuzzRequests, { minLength: 1, maxLength: 40, size: 'max' });
  const order = fc.array(fc.nat({ max: 1_000 }), { minLength: 1, maxLength: 50 });
  const property = fc.asyncProperty(batch, order, async (requests, mixed) => {
    const mark = randomUUID();
    const told = await ends(requests, mixed, mark);
    const seen = upstream.take().requests.map(read);
    const seenOf = (i: number): Seen | undefined =>
      seen.find(({ fields }) => fields.get('x-mark')?.[0] === `${mark} ${i}`);
    for (const [i, request] of requests.entries()) check(request, told[i] ?? '', seenOf(i));
    whole += told.filter((end) => end === '200').length;
    expect(seen.length).toBeLessThanOrEqual(requests.length);
  });
  await fc.assert(property, {
    seed: Number(process.env['LATCHKEY_FUZZ_SEED'] ?? 6),
    numRuns: 1_000_000,
    interruptAfterTimeLimit: seconds * 1_000,
    markInterruptAsFailure: false,
  });
  expect(whole).toBeGreaterThan(200);
});
