/**
 * Upstreams of HTTP/2 that die, stall and lie, frame by frame, behind the whole gateway: what clients of HTTP/1.1 and of
 * HTTP/2 get, how often the upstream was asked, that a stream beside it ends as it should, and that the next request is
 * right.
 */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { frameUpstream, head, lastData, type FrameAct, type FrameScript } from '../support/frame-upstream.ts';
import { askHttp2, openHttp2 } from '../support/http2-client.ts';
import { oneService } from '../support/one-service.ts';
import { emptyPipeline, objectsOf } from '../support/silent-pipeline.ts';
import { part, type FaultRow } from './http2-upstream-faults/fault-row.ts';
import { frames } from './http2-upstream-faults/frames.ts';
import { goodbyes } from './http2-upstream-faults/goodbyes.ts';
import { heads } from './http2-upstream-faults/heads.ts';
import { openings } from './http2-upstream-faults/openings.ts';
import { resets } from './http2-upstream-faults/resets.ts';

const tables: readonly (readonly [subject: string, rows: readonly FaultRow[]])[] = [
  ['goodbyes', goodbyes],
  ['resets', resets],
  ['heads', heads],
  ['frames', frames],
];

let gateway: Awaited<ReturnType<typeof emptyPipeline>>;

beforeAll(async () => {
  gateway = await emptyPipeline();
});

afterAll(async () => {
  await gateway.pipeline.stop(0);
});

/** An answer that is the upstream's has a Via, and is told with its body, and a field that it may have no part of. */
const told = (status: number, headers: Readonly<Record<string, unknown>>, body: string): string =>
  headers['via'] === undefined ? String(status) : `${status} ${body} ${String(headers['x-a'] ?? '')}`.trim();

type Asking = Exclude<FaultRow['ask'], undefined>;

async function askHttp1({ method, body }: Asking): Promise<string> {
  const length = method === 'POST' && body === undefined ? { 'content-length': 0 } : {};
  const request = httpRequest({ port: gateway.pipeline.port, method, agent: false, headers: length }).end(body);
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return told(response.statusCode ?? 0, response.headers, await text(response));
  } catch {
    return 'cut';
  }
}

async function askOverHttp2({ method, body }: Asking): Promise<string> {
  const session = openHttp2(`http://127.0.0.1:${gateway.pipeline.port}`);
  try {
    const answer = await askHttp2(session, { ':method': method }, body === undefined ? undefined : [body]);
    return told(answer.status, answer.headers, answer.body);
  } catch {
    return 'cut';
  }
}

/** A stream that is open beside the others; resolves once the first part of its answer is there. */
async function openBeside(): Promise<{ readonly ends: Promise<string> }> {
  const request = httpRequest({ port: gateway.pipeline.port, agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { ends: text(response).catch(() => 'cut') };
}

/** The gateway in front of an upstream that does what it is told; a row's time limits are not in force yet. */
async function inFrontOf(script: FrameScript, { service = {}, route = {}, alpn, limits, isLasting }: FaultRow) {
  const upstream = await frameUpstream(script, alpn);
  const protocol = alpn === undefined ? 'grpc' : 'grpcs';
  const serve = async (more: Exclude<FaultRow['limits'], undefined> = {}): Promise<void> => {
    gateway.source.set(objectsOf(oneService(upstream.port, { protocol, annotations: { ...service, ...more }, route })));
    await gateway.pipeline.settled();
  };
  await serve();
  return {
    upstream,
    /** Resolves with what the row's request gets; its time limits are in force from then on, if it is lasting. */
    async fault(request: () => Promise<string>): Promise<string> {
      if (limits === undefined) return request();
      await serve(limits);
      const gets = await request();
      if (isLasting !== true) await serve();
      return gets;
    },
  };
}

/** The same, where one stream is open on its connection already. */
async function besideOne(row: FaultRow) {
  const { onHead = [], onRequest = [] } = row;
  const begin: FrameAct = ({ send }, stream) => send(head(stream), part(stream, 'a'));
  const inFront = await inFrontOf({ onHead: [undefined, ...onHead], onRequest: [begin, ...onRequest] }, row);
  return { ...inFront, beside: await openBeside() };
}

describe.for([
  ['HTTP/1.1', askHttp1],
  ['HTTP/2', askOverHttp2],
] as const)('to a client of %s', ([, ask]) => {
  describe.for(tables)('%s', ([, rows]) => {
    test.for(rows)('$name', async (row) => {
      const { upstream, fault, beside } = await besideOne(row);
      const gets = await fault(async () => ask(row.ask ?? { method: 'GET' }));
      await upstream.until('it was asked', () => upstream.heads.length > row.asked);
      const [asked, opened] = [upstream.heads.length - 1, upstream.connections.length - 1];
      expect({ gets, asked, opened }).toEqual({ gets: row.gets, asked: row.asked, opened: row.opened ?? 0 });

      expect(await ask({ method: 'GET' })).toBe('200 ok');
      if (row.beside === undefined) upstream.connections[0]?.send(lastData(1, 'b'));
      expect(await beside.ends).toBe(row.beside ?? 'ab');
    });
  });

  describe('openings', () => {
    test.for(openings)('$name', async (row) => {
      const { upstream, fault } = await inFrontOf(row, row);
      const gets = await fault(async () => ask(row.ask ?? { method: 'GET' }));
      await upstream.until('it was asked', () => upstream.heads.length >= row.asked);
      const [asked, opened] = [upstream.heads.length, upstream.connections.length];
      expect({ gets, asked, opened }).toEqual({ gets: row.gets, asked: row.asked, opened: row.opened });
      if (row.isGivenUp === true)
        await upstream.until('it is closed', () => upstream.connections[0]?.socket.destroyed === true, 10_000);
      expect(await ask({ method: 'GET' })).toBe(row.isLasting === true ? row.gets : '200 ok');
    });
  });
});
