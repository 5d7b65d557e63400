/** What a worker keeps of an upgrade while its WebSocket is open. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { barePool } from '../support/bare-pool.ts';
import { startTunnelUpstream } from '../support/raw-tunnel.ts';

const planted = (where: string): string => `${where}-${randomBytes(12).toString('hex')}`;

test('an open WebSocket keeps nothing of the head that asked for it', async () => {
  const upstream = await startTunnelUpstream();
  const { pool, port, put, threads } = await barePool();
  put('a', upstream.port);
  await pool.open();
  // As long that a part of the target would be a view of it, not a copy.
  const path = '/a/chat/of/several/words';
  const keys = [planted('header'), planted('query')] as const;
  const { client, upstream: end } = await upstream.open(port, { apikey: keys[0] }, `${path}?apikey=${keys[1]}`);
  client.write('said');
  await once(end, 'data');
  const [worker] = threads;
  if (worker === undefined) throw new Error('no worker has started');
  const heap = await text(await worker.getHeapSnapshot());
  // What is kept of the path shows that it is the heap of the worker that has the tunnel.
  expect(heap).toContain(path);
  for (const key of keys) expect(heap).not.toContain(key);
});
