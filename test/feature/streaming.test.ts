/** Bodies that come in pieces, in both directions, over both ways to upstreams. */
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serverPair } from '../support/signed-certificates.ts';
import { silentPipeline } from '../support/silent-pipeline.ts';

interface Seen {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** An upstream that a test answers by hand, and the gateway before it. */
async function startByHand(protocol: 'http' | 'https') {
  const requests: Seen[] = [];
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push({ request, response });
    upstream.emit('seen');
  };
  const pair = { cert: serverPair.certificate, key: serverPair.privateKey };
  const upstream = protocol === 'http' ? createServer(serve) : createTlsServer(pair, serve);
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const pipeline = await silentPipeline((upstream.address() as AddressInfo).port, { protocol });
  onTestFinished(async () => {
    upstream.closeAllConnections();
    upstream.close();
    await pipeline.stop(0);
  });
  const next = async (): Promise<Seen> => {
    if (requests.length === 0) await once(upstream, 'seen');
    return requests.shift() as Seen;
  };
  return { next, port: pipeline.port };
}

const text = async (chunk: Promise<unknown[]>): Promise<string> => String((await chunk)[0]);

describe.for(['http', 'https'] as const)('to an upstream of %s', (protocol) => {
  test('server-sent events come as they are sent, the head before the first of them', async () => {
    const { next, port } = await startByHand(protocol);
    const request = httpRequest({ port, path: '/events' }).end();
    const { response } = await next();
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.flushHeaders();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    expect(answer.headers['content-type']).toBe('text/event-stream');
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      response.write(event);
      expect(await text(once(answer, 'data'))).toBe(event);
    }
    response.end();
    await once(answer, 'end');
  });

  test('a request goes on as it comes, before its body has ended', async () => {
    const { next, port } = await startByHand(protocol);
    const request = httpRequest({ port, path: '/', method: 'POST' });
    request.write('one');
    const { request: seen, response } = await next();
    expect(await text(once(seen, 'data'))).toBe('one');
    request.write('two');
    expect(await text(once(seen, 'data'))).toBe('two');
    request.end();
    await once(seen, 'end');
    response.end('done');
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    expect(await text(once(answer, 'data'))).toBe('done');
  });

  test('an answer that comes before the body has ended reaches the client', async () => {
    const { next, port } = await startByHand(protocol);
    const request = httpRequest({ port, path: '/', method: 'POST' });
    request.on('error', () => undefined);
    request.write('one');
    const { response } = await next();
    response.writeHead(403, { Connection: 'close' }).end('no more');
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    expect([answer.statusCode, await text(once(answer, 'data'))]).toEqual([403, 'no more']);
    request.destroy();
  });

  test('a client that leaves cancels the request, before a head and amid a body', async () => {
    const { next, port } = await startByHand(protocol);
    for (const isBegun of [false, true]) {
      const request = httpRequest({ port, path: '/' }).end();
      request.on('error', () => undefined);
      const { response } = await next();
      const gone = once(response, 'close');
      if (isBegun) {
        response.write('part');
        const [answer] = (await once(request, 'response')) as [IncomingMessage];
        answer.on('error', () => undefined);
        await once(answer, 'data');
      }
      request.destroy();
      await gone;
      expect(response.writableFinished).toBe(false);
    }
  });

  test.for(['HEAD', 'GET'])('%s: an answer without a body ends with its head', async (method) => {
    const { next, port } = await startByHand(protocol);
    for (const status of [204, 304, ...(method === 'HEAD' ? [200] : [])]) {
      const request = httpRequest({ port, path: '/', method, agent: false }).end();
      const { response } = await next();
      response.writeHead(status, status === 200 ? { 'Content-Length': '10' } : {}).end();
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      answer.resume();
      await once(answer, 'end');
      expect(answer.statusCode).toBe(status);
    }
  });

  test('100 Continue is asked for once the body is wanted, and an interim answer goes before the final one', async () => {
    const { next, port } = await startByHand(protocol);
    const request = httpRequest({ port, path: '/', method: 'POST', headers: { Expect: '100-continue' } });
    request.flushHeaders();
    await once(request, 'continue');
    request.end('body');
    const { request: seen, response } = await next();
    expect(seen.headers.expect).toBeUndefined();
    response.writeProcessing();
    response.end('done');
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    expect([answer.statusCode, await text(once(answer, 'data'))]).toEqual([200, 'done']);
  });

  test('a gigabyte goes through without being held', async () => {
    const { next, port } = await startByHand(protocol);
    const request = httpRequest({ port, path: '/' }).end();
    const { response } = await next();
    const [mebibyte, count] = [Buffer.alloc(1 << 20), 1024];
    response.writeHead(200, { 'Content-Length': mebibyte.byteLength * count });
    let sent = 0;
    const pump = (): void => {
      while (sent < count) {
        sent += 1;
        if (!response.write(mebibyte)) return void response.once('drain', pump);
      }
      response.end();
    };
    pump();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const before = process.memoryUsage.rss();
    let [received, most] = [0, 0];
    answer.on('data', (part: Buffer) => {
      received += part.byteLength;
      most = Math.max(most, process.memoryUsage.rss());
    });
    await once(answer, 'end');
    expect(received).toBe(mebibyte.byteLength * count);
    expect((most - before) / (1 << 20)).toBeLessThan(300);
  });
});

test('what waits for slow clients is not mixed with what others get meanwhile', async () => {
  const upstream = createServer((request, response) => {
    const [, letter = '', bytes = ''] = /^\/(.)\/(\d+)$/.exec(request.url ?? '') ?? [];
    // With a length in capitals, in chunks else.
    if (letter < 'a') response.setHeader('Content-Length', bytes);
    response.write(Buffer.alloc(1_000, letter));
    response.end(Buffer.alloc(Number(bytes) - 1_000, letter));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const pipeline = await silentPipeline((upstream.address() as AddressInfo).port);
  onTestFinished(async () => {
    upstream.closeAllConnections();
    upstream.close();
    await pipeline.stop(0);
  });
  const ask = async (letter: string, bytes: number) => {
    const request = httpRequest({ port: pipeline.port, path: `/${letter}/${bytes}` }).end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    return { letter, bytes, answer };
  };
  const faultOf = async ({ letter, bytes, answer }: Awaited<ReturnType<typeof ask>>): Promise<string | undefined> => {
    let seen = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (!chunk.equals(Buffer.alloc(chunk.byteLength, letter))) return `${letter}: bytes of another answer`;
      seen += chunk.byteLength;
    }
    return seen === bytes ? undefined : `${letter}: ${seen} of ${bytes} bytes`;
  };
  // More than the sockets in between hold: what comes after that waits in the gateway.
  const slow = await Promise.all(Array.from('STUvwx', async (letter) => ask(letter, 20_000_000)));
  const fast = await Promise.all(
    Array.from('ABCDEFGHabcdefgh', async (letter, i) => faultOf(await ask(letter, 60_000 + i * 97_000))),
  );
  const late = await Promise.all(slow.map(faultOf));
  expect([...fast, ...late].filter((fault) => fault !== undefined)).toEqual([]);
});
