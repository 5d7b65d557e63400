/** One key among thousands that have WebSockets open is revoked. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { consumer, keySecret } from '../support/objects.ts';
import { oneService } from '../support/one-service.ts';
import { startTunnelUpstream, upgradeHead } from '../support/raw-tunnel.ts';
import { emptyPipeline, objectsOf } from '../support/silent-pipeline.ts';

const keyAuth = `---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: { name: key-auth }
plugin: key-auth
`;

const person = (name: string): KubernetesObject[] => [
  consumer({ name, username: name, credentials: [`${name}-k`], created: undefined, class: 'kong' }),
  keySecret(`${name}-k`, `${name}s-key`),
];

async function openOne(port: number, key: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  socket.write(upgradeHead({ apikey: key }));
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\n$/s);
  return socket;
}

async function openMany(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, async () => openOne(port, 'eves-key')))));
  }
  return sockets;
}

test('the WebSocket of a revoked key among four thousand is closed at once, and no other', async () => {
  const upstream = await startTunnelUpstream();
  const { pipeline, source } = await emptyPipeline(['--max-tunnels', '50000', '--max-connections', '50000']);
  onTestFinished(async () => pipeline.stop(0));
  const usual = [
    ...objectsOf(`${oneService(upstream.port, { route: { 'konghq.com/plugins': 'key-auth' } })}${keyAuth}`),
    ...person('eve'),
  ];
  const set = async (objects: readonly KubernetesObject[]): Promise<void> => {
    source.set([...usual, ...objects]);
    await pipeline.settled();
  };
  await set([]);
  const others = await openMany(pipeline.port, 4_000);
  const tookMs: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    await set(person('bob'));
    const bob = await openOne(pipeline.port, 'bobs-key');
    const told = once(bob, 'data') as Promise<[Buffer]>;
    const startedMs = performance.now();
    await set([]);
    const [frame] = await told;
    tookMs.push(performance.now() - startedMs);
    expect(frame.toString('latin1')).toContain('the credential is no longer in force');
  }
  // Looked at by turns, 256 every 100 ms, most of them took longer than 1,400 ms.
  expect(tookMs.toSorted((a, b) => a - b)[2]).toBeLessThan(1_000);
  expect(others.filter((socket) => socket.destroyed || socket.readableEnded)).toEqual([]);
}, 180_000);
