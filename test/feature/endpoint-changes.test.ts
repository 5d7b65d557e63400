/** Endpoints that come and go while requests are under way. */
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { send } from '../support/client.ts';
import { oneService } from '../support/one-service.ts';
import { emptyPipeline, objectsOf } from '../support/silent-pipeline.ts';

/** A gateway whose Service has these endpoints, which a test may change. */
async function startChanging(service: Parameters<typeof oneService>[1] = {}) {
  const { pipeline, source } = await emptyPipeline();
  onTestFinished(async () => pipeline.stop(0));
  const at = async (...ports: readonly number[]): Promise<void> => {
    const [first, ...slices] = ports.map((port) =>
      objectsOf(oneService(port, service)).map((object) =>
        object.kind === 'EndpointSlice' ? { ...object, metadata: { ...object.metadata, name: `s-${port}` } } : object,
      ),
    );
    const none = objectsOf(oneService(1, service)).filter(({ kind }) => kind !== 'EndpointSlice');
    source.set([...(first ?? none), ...slices.flat().filter(({ kind }) => kind === 'EndpointSlice')]);
    await pipeline.settled();
  };
  return { pipeline, at };
}

/** An endpoint that a test answers by hand. */
async function startByHand() {
  const connections: Socket[] = [];
  const requests: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  const server = createServer((request, response) => {
    requests.push({ request, response });
    server.emit('seen');
  });
  server.keepAliveTimeout = 60_000; // so that it is never the endpoint who closes a connection
  server.on('connection', (socket) => connections.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const next = async () => {
    if (requests.length === 0) await once(server, 'seen');
    return requests.shift() as (typeof requests)[number];
  };
  return { port: (server.address() as AddressInfo).port, connections, next };
}

async function startAnswering() {
  let count = 0;
  const server = createServer((_, response) => {
    count += 1;
    response.end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, taken: () => count };
}

const closed = async (socket: Socket | undefined): Promise<void> => {
  if (socket !== undefined && !socket.destroyed) await once(socket, 'close');
};

test('what is under way to an endpoint that goes is finished, answers and streams both', async () => {
  const { pipeline, at } = await startChanging();
  const [old, young] = [await startByHand(), await startAnswering()];
  await at(old.port);

  const waiting = httpRequest({ port: pipeline.port, path: '/waiting', agent: false }).end();
  const held = await old.next();
  const streaming = httpRequest({ port: pipeline.port, path: '/streaming', method: 'POST', agent: false });
  streaming.write('one');
  const stream = await old.next();
  stream.response.write('a');
  const [streamed] = (await once(streaming, 'response')) as [IncomingMessage];

  await at(young.port);
  // Whoever comes now goes elsewhere.
  expect((await send({ port: pipeline.port, path: '/', headers: [] })).body).toBe('ok');
  expect(young.taken()).toBe(1);

  held.response.end('late');
  const [answer] = (await once(waiting, 'response')) as [IncomingMessage];
  expect(String((await once(answer, 'data'))[0])).toBe('late');

  const parts: string[] = [];
  streamed.on('data', (part: Buffer) => parts.push(String(part)));
  streaming.end('two');
  let body = '';
  for await (const part of stream.request.setEncoding('utf8') as AsyncIterable<string>) body += part;
  stream.response.end('b');
  await once(streamed, 'end');
  expect([body, parts.join('')]).toEqual(['onetwo', 'ab']);

  // Nobody would use their connections again.
  for (const connection of old.connections) await closed(connection);
});

test('idle connections to an endpoint that goes are closed at once, those to others are kept', async () => {
  const { pipeline, at } = await startChanging();
  const [gone, kept] = [await startByHand(), await startByHand()];
  await at(gone.port, kept.port);
  const answers = [0, 1].map(async () => send({ port: pipeline.port, path: '/', headers: [] }));
  (await gone.next()).response.end('ok');
  (await kept.next()).response.end('ok');
  await Promise.all(answers);
  await at(kept.port);
  for (const connection of gone.connections) await closed(connection);
  const again = send({ port: pipeline.port, path: '/', headers: [] });
  (await kept.next()).response.end('ok');
  await again;
  expect(kept.connections.map(({ destroyed }) => destroyed)).toEqual([false]);
});

test('the last endpoint may go, and another come', async () => {
  const { pipeline, at } = await startChanging();
  const [old, young] = [await startByHand(), await startAnswering()];
  await at(old.port);
  const waiting = send({ port: pipeline.port, path: '/', headers: [] });
  const held = await old.next();
  await at();
  expect((await send({ port: pipeline.port, path: '/', headers: [] })).status).toBe(503);
  held.response.end('late');
  expect((await waiting).body).toBe('late');
  await at(young.port);
  expect((await send({ port: pipeline.port, path: '/', headers: [] })).body).toBe('ok');
});

test.for([
  ['a slow start gives an endpoint that comes a tenth of its share', { 'latchkey.dev/slow-start': '3600' }, 9],
  ['without one it gets all of it at once', {}, 50],
] as const)('%s', async ([, annotations, expected]) => {
  const { pipeline, at } = await startChanging({ annotations });
  const [old, young] = [await startAnswering(), await startAnswering()];
  await at(old.port);
  const ask = async () => send({ port: pipeline.port, path: '/', headers: [] });
  expect((await ask()).status).toBe(200);
  await at(old.port, young.port);
  for (let i = 0; i < 100; i += 1) expect((await ask()).status).toBe(200);
  expect(Math.abs(young.taken() - expected)).toBeLessThanOrEqual(1);
  expect(old.taken() + young.taken()).toBe(101);
});
