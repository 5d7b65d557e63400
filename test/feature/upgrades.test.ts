/** Upgrades that do not become tunnels at once, or at all. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { exchangeRaw } from '../support/raw-stage.ts';
import { startTunnelUpstream, upgradeHead } from '../support/raw-tunnel.ts';
import { silentPipeline } from '../support/silent-pipeline.ts';

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** An endpoint that takes connections and ends each as soon as something is asked; tells how many there were. */
async function startDying() {
  let asked = 0;
  const port = await listening(
    createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        asked += 1;
        socket.resetAndDestroy();
      });
    }),
  );
  return { port, asked: () => asked };
}

const slice = (port: number): string => `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: s-0, labels: { kubernetes.io/service-name: s } }
addressType: IPv4
endpoints: [{ addresses: [127.0.0.1] }]
ports: [{ port: ${port} }]
`;

const gatewayTo = async (...[port, options]: Parameters<typeof silentPipeline>) => {
  const pipeline = await silentPipeline(port, options);
  onTestFinished(async () => pipeline.stop(0));
  return pipeline.port;
};

test('an upgrade that the upstream declines is answered as the upstream answers it', async () => {
  const declining = createHttpServer();
  declining.on('upgrade', (_, socket) =>
    socket.end('HTTP/1.1 403 Forbidden\r\nX-Why: no\r\nContent-Length: 4\r\n\r\nnone'),
  );
  const port = await gatewayTo(await listening(declining));
  const { summary, text } = await exchangeRaw(port, [upgradeHead()], '403 close');
  expect(summary).toBe('403 close');
  expect(text).toMatch(/\r\nX-Why: no\r\n[^]*\r\n\r\nnone$/);
});

test('an answer that breaks off is cut off, and not taken for whole', async () => {
  const breaking = createHttpServer();
  breaking.on('upgrade', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nnone'));
  const port = await gatewayTo(await listening(breaking));
  const client = connect(port, '127.0.0.1');
  client.write(upgradeHead());
  const chunks: Buffer[] = [];
  client.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => client.once('close', resolve));
  expect(Buffer.concat(chunks).toString('latin1')).toMatch(/\r\nContent-Length: 9\r\n[^]*\r\n\r\nnone$/);
});

test.for([
  ['what is no HTTP', 'SSH-2.0-x\r\n\r\n'],
  ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'],
] as const)('an upstream that answers with %s is a bad gateway', async ([, answer]) => {
  const odd = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(answer));
  });
  const port = await gatewayTo(await listening(odd));
  expect((await exchangeRaw(port, [upgradeHead()], '502 close')).summary).toBe('502 close');
});

test('an endpoint that dies over an upgrade is not the last that is tried', async () => {
  const [upstream, dying] = [await startTunnelUpstream(), await startDying()];
  const port = await gatewayTo(upstream.port, { more: slice(dying.port) });
  for (let i = 0; i < 4; i += 1) await upstream.open(port);
  expect(dying.asked()).toBeGreaterThan(0);
});

test('what upgrades find out about an endpoint counts for its health', async () => {
  const [upstream, dying] = [await startTunnelUpstream(), await startDying()];
  const policy = `apiVersion: configuration.konghq.com/v1beta1
kind: KongUpstreamPolicy
metadata: { name: watched }
spec: { healthchecks: { passive: { unhealthy: { tcpFailures: 1 } } } }
`;
  const port = await gatewayTo(upstream.port, { policy: 'watched', more: `${slice(dying.port)}---\n${policy}` });
  for (let i = 0; i < 6; i += 1) await upstream.open(port);
  expect(dying.asked()).toBe(1);
});

test('a client that leaves takes its upgrade along', async () => {
  const reached = Promise.withResolvers<Socket>();
  const silent = createServer((socket) => {
    socket.on('error', () => undefined);
    reached.resolve(socket);
  });
  const port = await gatewayTo(await listening(silent));
  const client = connect(port, '127.0.0.1');
  client.write(upgradeHead());
  const upstream = await reached.promise;
  upstream.resume();
  const closed = once(upstream, 'close');
  client.destroy();
  await closed;
});

test('what a client says too early reaches the upstream after the switch', async () => {
  const late = createHttpServer();
  const asked = Promise.withResolvers<Socket>();
  late.on('upgrade', (_, socket: Socket) => asked.resolve(socket));
  const port = await gatewayTo(await listening(late));
  const client = connect(port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  client.write(`${upgradeHead()}first`);
  const upstream = await asked.promise;
  await new Promise<void>((resolve) => client.write(' second', () => resolve()));
  upstream.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await once(client, 'data');
  client.write(' third');
  client.end();
  const chunks: Buffer[] = [];
  for await (const chunk of upstream as AsyncIterable<Buffer>) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString('latin1')).toBe('first second third');
  upstream.destroy();
});
