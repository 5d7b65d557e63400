/** What becomes of the bytes of WebSockets, and of upgrades that come to nothing, over real sockets. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { send } from '../support/client.ts';
import { freePort } from '../support/free-port.ts';
import { startLatchkey } from '../support/latchkey-process.ts';
import { oneService, type OneService } from '../support/one-service.ts';
import { bytesUntilEnd, startTunnelUpstream, upgradeHead } from '../support/raw-tunnel.ts';
import { silentPipeline } from '../support/silent-pipeline.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { exchangeRaw } from '../support/raw-stage.ts';
import { until } from '../support/until.ts';

const megabyte = Buffer.alloc(1024 * 1024, 'x');

async function start(service: OneService = {}) {
  const upstream = await startTunnelUpstream();
  const pipeline = await silentPipeline(upstream.port, service);
  onTestFinished(async () => pipeline.stop(0));
  return { ...upstream, gatewayPort: pipeline.port };
}

/** The gateway in a process of its own, whose figures can be asked for. */
async function startCounted(upstreamPort: number, service: OneService = {}) {
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), oneService(upstreamPort, service));
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '1']);
  onTestFinished(async () => void (await latchkey.stop()));
  return {
    port: latchkey.proxyPort,
    async series(name: string): Promise<string[]> {
      const { body } = await send({ port: latchkey.statusPort, path: '/metrics' });
      return body.split('\n').filter((line) => line.startsWith(name));
    },
  };
}

test('a slow client gets all that the upstream said before it closed', async () => {
  const { open, gatewayPort } = await start();
  const { client, upstream } = await open(gatewayPort);
  for (let i = 0; i < 16; i += 1) upstream.write(megabyte);
  upstream.end();
  const closed = once(upstream, 'close');
  // Most of it still lies in the gateway and on the way: the client reads only once the upstream is gone.
  await Promise.race([closed, once(client, 'readable')]);
  const bytes = bytesUntilEnd(client);
  expect(await bytes).toBe(16 * megabyte.byteLength);
});

test('what is left for a client is not lost when the upstream closes before it reads', async () => {
  const { open, gatewayPort } = await start();
  const { client, upstream } = await open(gatewayPort);
  client.pause();
  // More than a kernel takes for a client that does not read, little enough for the gateway to take it all.
  let sent = 0;
  while (upstream.writableLength === 0 && sent < 64) {
    await new Promise<void>((resolve) => upstream.write(megabyte.subarray(0, 65_536), () => resolve()));
    sent += 1;
  }
  upstream.end();
  await once(upstream, 'finish');
  expect(await bytesUntilEnd(client)).toBe(sent * 65_536);
});

test('a slow upstream gets all that the client said before it closed', async () => {
  const { open, gatewayPort } = await start();
  const { client, upstream } = await open(gatewayPort);
  for (let i = 0; i < 16; i += 1) client.write(megabyte);
  client.end();
  expect(await bytesUntilEnd(upstream)).toBe(16 * megabyte.byteLength);
});

test('an upgrade behind a request that is not answered yet waits for its turn', async () => {
  const answering = Promise.withResolvers<ServerResponse>();
  const { server, gatewayPort } = await start();
  server.removeAllListeners('request').on('request', (_, response) => answering.resolve(response));
  const client = connect(gatewayPort, '127.0.0.1');
  onTestFinished(() => {
    client.destroy();
  });
  let text = '';
  client.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  client.write(`GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${upgradeHead()}`);
  const response = await answering.promise;
  const upgraded = once(server, 'upgrade') as Promise<[unknown, Socket]>;
  response.end('slow');
  const [, upstream] = await upgraded;
  upstream.write('hello');
  await until({
    what: 'what the upstream said',
    holds: () => text.includes('hello'),
    subscribe: (check) => {
      client.on('data', check);
      return () => client.off('data', check);
    },
  });
  expect(text).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\nslowHTTP\/1\.1 101 [^]*\r\n\r\nhello$/);
});

test('a WebSocket on a connection that has had requests is not bound by the time between those', async () => {
  const upstream = await startTunnelUpstream();
  const pipeline = await silentPipeline(upstream.port, { flags: ['--client-idle-timeout-ms', '100'] });
  onTestFinished(async () => pipeline.stop(0));
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  const client = connect(pipeline.port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  client.write(get);
  await once(client, 'data');
  client.write(upgradeHead());
  await once(client, 'data');
  // Others, that say as little, are closed meanwhile.
  for (let i = 0; i < 2; i += 1) {
    const other = connect(pipeline.port, '127.0.0.1');
    other.write(get);
    other.resume();
    await once(other, 'close');
  }
  expect([client.destroyed, client.readableEnded]).toEqual([false, false]);
});

test('bytes of a tunnel are counted while it is open', async () => {
  const upstream = await startTunnelUpstream();
  const gateway = await startCounted(upstream.port);
  const { client, upstream: end } = await upstream.open(gateway.port);
  client.write('x'.repeat(1000));
  await once(end, 'data');
  end.write('y'.repeat(300));
  await once(client, 'readable');
  await expect
    .poll(async () => gateway.series('kong_bandwidth_bytes'))
    .toEqual([
      expect.stringMatching(/direction="ingress".* 1000$/),
      expect.stringMatching(/direction="egress".* 300$/),
    ]);
  client.destroy();
  end.destroy();
});

test('an upgrade that fails is counted once, whatever goes wrong', async () => {
  const silent = createServer((socket) => socket.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void silent.close());
  const { port: silentPort } = silent.address() as { port: number };
  const gateway = await startCounted(silentPort, { annotations: { 'konghq.com/read-timeout': '50' } });
  expect(await exchangeRaw(gateway.port, [upgradeHead()], '504 close')).toMatchObject({ summary: '504 close' });
  const counted = async () => gateway.series('kong_http_requests_total');
  await expect.poll(counted).toEqual([expect.stringMatching(/code="504",source="kong".* 1$/)]);
});

test('an upgrade goes on to an endpoint that can be reached, as often as retries allow', async () => {
  const upstream = await startTunnelUpstream();
  const dead = await freePort();
  const slice = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: s-0, labels: { kubernetes.io/service-name: s } }
addressType: IPv4
endpoints: [{ addresses: [127.0.0.1] }]
ports: [{ port: ${dead} }]
`;
  const pipeline = await silentPipeline(upstream.port, { more: slice });
  onTestFinished(async () => pipeline.stop(0));
  for (let i = 0; i < 4; i += 1) await upstream.open(pipeline.port);
  const never = await silentPipeline(upstream.port, { more: slice, annotations: { 'konghq.com/retries': '0' } });
  onTestFinished(async () => never.stop(0));
  const statuses: string[] = [];
  for (let i = 0; i < 2; i += 1) {
    const opened = await upstream.open(never.port).then(
      () => '101',
      (error: Error) => /HTTP\/1\.1 (\d+)/.exec(error.message)?.[1] ?? error.message,
    );
    statuses.push(opened);
  }
  expect(statuses.toSorted()).toEqual(['101', '502']);
});

test('a tunnel is closed once both ends have been silent for the read timeout, and not before', async () => {
  const { open, gatewayPort } = await start({ annotations: { 'konghq.com/read-timeout': '1000' } });
  const openOne = async () => {
    const { client, upstream } = await open(gatewayPort);
    return { client, upstream, ended: Promise.all([bytesUntilEnd(client), once(upstream.resume(), 'end')]) };
  };
  const { client, upstream, ended } = await openOne();
  // One way alone keeps it open, here for longer than one that came later and says nothing.
  const talking = setInterval(() => client.write('x'), 10);
  const silent = await openOne();
  await silent.ended;
  expect([client.readableEnded, upstream.readableEnded]).toEqual([false, false]);
  clearInterval(talking);
  await ended;
});
