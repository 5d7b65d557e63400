/** The line of each request on standard output: what it says, and what it never does. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { send } from '../support/client.ts';
import { printedSince } from '../support/until-found.ts';
import { startWatchedGateway } from '../support/watched-gateway.ts';

let gateway: Awaited<ReturnType<typeof startWatchedGateway>>;

beforeAll(async () => {
  gateway = await startWatchedGateway(['--proxy-access-log', '/dev/stdout', '--proxy-access-log-query']);
});
afterAll(async () => gateway.stop());

/** Asks, and gives the answer with the line that was written of it. */
async function logged(path: string, headers: Readonly<Record<string, string>> = {}) {
  const printed = printedSince(gateway.latchkey);
  const answer = await gateway.ask(path, headers);
  const id = String(answer.headers['x-kong-request-id']);
  const line = await printed.says(new RegExp(`^\\{.*"request_id":"${id}".*\\}$`, 'm'));
  return { answer, text: line, line: JSON.parse(line) as Record<string, unknown> };
}

test('a request that a service answered', async () => {
  const before = Date.now();
  const { answer, line } = await logged('/a/b?x=1', { apikey: 'bobs-key', 'user-agent': 'a "test"' });
  expect(answer.status).toBe(200);
  expect(line).toEqual({
    level: 30,
    time: expect.any(Number),
    msg: 'access',
    request_id: answer.headers['x-kong-request-id'],
    client_ip: '127.0.0.1',
    method: 'GET',
    host: '127.0.0.1',
    path: '/a/b',
    query: 'x=1',
    protocol: 'HTTP/1.1',
    user_agent: 'a "test"',
    status: 200,
    source: 'service',
    bytes_in: 0,
    bytes_out: 'upstream'.length,
    request_ms: expect.any(Number),
    gateway_ms: expect.any(Number),
    upstream_ms: expect.any(Number),
    route: 'default/a',
    service: 'default/s/80',
    consumer: 'bob',
    upstream: `127.0.0.1:${gateway.upstream.port}`,
    tries: 1,
  });
  expect(line['time']).toBeGreaterThanOrEqual(before);
  expect(line['request_ms']).toBeGreaterThanOrEqual(line['upstream_ms'] as number);
});

test('one that the gateway refused has no upstream and no consumer', async () => {
  const { line } = await logged('/', { apikey: 'wrong' });
  expect(line).toMatchObject({ status: 401, source: 'exit', route: 'default/a', service: 'default/s/80' });
  for (const field of ['upstream', 'tries', 'upstream_ms', 'consumer']) expect(line).not.toHaveProperty(field);
});

test('one whose service fails tells how often it was tried', async () => {
  const { line } = await logged('/dead');
  expect(line).toMatchObject({ status: 502, source: 'error', upstream: `127.0.0.1:${gateway.deadPort}`, tries: 3 });
});

test.for([
  '/?apikey=bobs-key',
  '/?x=1&%61PIkey=bobs-key',
  '/?apikey=bobs-key&apikey=bobs-key',
  '/a%5cb?apikey=bobs-key',
])('a key in the query stays out: %s', async (path) => {
  const { text } = await logged(path);
  expect(text).not.toContain('bobs-key');
  expect(text).toContain('***');
});

test('a key in a header stays out', async () => {
  const { text } = await logged('/', { apikey: 'bobs-key', authorization: 'Bearer bobs-key' });
  expect(text).not.toContain('bobs-key');
});

test('one that met no route has none', async () => {
  const { line } = await logged('/a%5cb?x=1');
  expect(line).toMatchObject({ status: 400, source: 'exit', path: '/a%5cb', query: 'x=1' });
  expect(line).not.toHaveProperty('route');
});

test('a client that does not wait is logged as 499, with its address', async () => {
  const printed = printedSince(gateway.latchkey);
  const reached = new Promise<void>((resolve) => {
    gateway.upstream.server.once('request', () => resolve());
  });
  const leaving = new AbortController();
  const answer = fetch(`http://127.0.0.1:${gateway.latchkey.proxyPort}/hang`, {
    headers: { apikey: 'bobs-key' },
    signal: leaving.signal,
  });
  await reached;
  leaving.abort();
  await expect(answer).rejects.toThrow('aborted');
  const line = await printed.says(/^\{.*"path":"\/hang".*\}$/m);
  expect(JSON.parse(line)).toMatchObject({ status: 499, source: 'error', client_ip: '127.0.0.1', consumer: 'bob' });
});

test('what a client sends can neither end a line nor steer a terminal', async () => {
  const { text, line } = await logged('/', { 'user-agent': 'é\u009b2J\t"}' });
  expect(text).toMatch(/^[\u0020-\u007E]*$/);
  expect(line['user_agent']).toBe('é\u009b2J\t"}');
});

test('what cannot be read as a request has a line of who sent it, and nothing that it sent', async () => {
  const printed = printedSince(gateway.latchkey);
  const socket = connect(gateway.latchkey.proxyPort, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nbobs-key\r\n\r\n');
  const answer = await readAll(socket);
  const id = /X-Kong-Request-Id: (\w+)/.exec(answer)?.[1];
  const line = await printed.says(new RegExp(`^\\{.*"request_id":"${id}".*\\}$`, 'm'));
  expect(JSON.parse(line)).toEqual({
    level: 30,
    time: expect.any(Number),
    msg: 'access',
    request_id: id,
    client_ip: '127.0.0.1',
    status: 400,
    source: 'exit',
    reason: 'malformed',
  });
});

test('a WebSocket has a line when it opens', async () => {
  const sockets = new WebSocketServer({ server: gateway.upstream.server });
  const printed = printedSince(gateway.latchkey);
  const headers = { apikey: 'bobs-key' };
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.latchkey.proxyPort}/socket`, { headers });
  await once(socket, 'open');
  const line = await printed.says(/^\{.*"path":"\/socket".*\}$/m);
  expect(JSON.parse(line)).toMatchObject({ status: 101, source: 'service', consumer: 'bob', route: 'default/a' });
  socket.terminate();
  sockets.close();
});

test('a long text of a client is cut', async () => {
  const { line } = await logged(`/${'a'.repeat(5_000)}`);
  expect(line['path']).toHaveLength(1_024 + '...'.length);
});

test('lines are whole, and the last ones are written as the gateway stops', async () => {
  const other = await startWatchedGateway(['--proxy-access-log', '/dev/stdout']);
  const ids: unknown[] = [];
  for (let i = 0; i < 50; i += 1) ids.push((await other.ask('/?apikey=bobs-key')).headers['x-kong-request-id']);
  await other.stop();
  const lines = other.latchkey
    .output()
    .split('\n')
    .filter((line) => line.includes('"msg":"access"'));
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(entries.map((entry) => entry['request_id'])).toEqual(ids);
  expect(entries.every((entry) => !('query' in entry))).toBe(true);
});

test('it is off unless it is asked for', async () => {
  const other = await startWatchedGateway();
  expect((await send({ port: other.latchkey.proxyPort, path: '/' })).status).toBe(401);
  await other.stop();
  expect(other.latchkey.output()).not.toContain('"msg":"access"');
});
