/** When each credential was last used, as the Admin API of a whole process on a directory tells it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bobWith, keyAuthPlugin } from '../support/bobs-key.ts';
import { send } from '../support/client.ts';
import { startLatchkey, type LatchkeyProcess } from '../support/latchkey-process.ts';
import { oneService } from '../support/one-service.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startUpstream } from '../support/upstream.ts';

const callers = `${keyAuthPlugin}---
${bobWith('used', 'idle')}---
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: { name: eve, namespace: elsewhere, annotations: { kubernetes.io/ingress.class: kong } }
username: eve
credentials: [foreign]
---
apiVersion: v1
kind: Secret
metadata: { name: used, creationTimestamp: '2026-01-01T00:00:00Z', labels: { konghq.com/credential: key-auth } }
stringData: { key: used }
---
apiVersion: v1
kind: Secret
metadata: { name: idle, labels: { konghq.com/credential: key-auth } }
stringData: { key: idle }
---
apiVersion: v1
kind: Secret
metadata: { name: foreign, namespace: elsewhere, labels: { konghq.com/credential: key-auth } }
stringData: { key: foreign }
`;

async function served(...flags: readonly string[]): Promise<LatchkeyProcess> {
  const upstream = await startUpstream();
  onTestFinished(async () => upstream.close());
  const dir = temporaryFolder();
  const route = { 'konghq.com/plugins': 'key-auth', 'latchkey.dev/consumer-namespaces': 'same' };
  writeFileSync(join(dir, 'all.yaml'), `${oneService(upstream.port, { route })}---\n${callers}`);
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '2', ...flags]);
  onTestFinished(async () => void (await latchkey.stop()));
  return latchkey;
}

interface Shown {
  readonly key: string;
  readonly last_used_at?: number | null;
}

/** The credentials that the Admin API shows, once every worker has told what it saw. */
async function shown({ statusPort, adminPort }: LatchkeyProcess): Promise<Readonly<Record<string, Shown>>> {
  await send({ port: statusPort, path: '/metrics' });
  const { body } = await send({ port: adminPort, path: '/key-auths' });
  const { data } = JSON.parse(body) as { readonly data: readonly Shown[] };
  return Object.fromEntries(data.map((one) => [one.key, one]));
}

test('the minute of a use is told, of a key that let nobody in none', async () => {
  const latchkey = await served('--credential-last-used');
  const ask = async (key: string) => send({ port: latchkey.proxyPort, path: '/', headers: [['apikey', key]] });
  expect(await shown(latchkey)).toMatchObject({ used: { last_used_at: null }, idle: { last_used_at: null } });
  const beforeMs = Date.now();
  expect((await ask('used')).status).toBe(200);
  expect((await ask('foreign')).status).toBe(401);
  expect((await ask('unknown')).status).toBe(401);
  // A busy worker may tell later.
  await expect.poll(async () => (await shown(latchkey))['used']?.last_used_at).not.toBeNull();
  const after = await shown(latchkey);
  const told = (after['used']?.last_used_at ?? 0) * 1000;
  expect(told % 60_000).toBe(0);
  expect(told).toBeGreaterThan(beforeMs - 60_000);
  expect(told).toBeLessThanOrEqual(Date.now());
  expect(after).toMatchObject({ idle: { last_used_at: null }, foreign: { last_used_at: null } });
});

test('what was read can be put back, with whatever time', async () => {
  const latchkey = await served('--credential-last-used');
  const read = (await shown(latchkey))['used'];
  const answer = await fetch(`http://127.0.0.1:${latchkey.adminPort}/consumers/bob/key-auth/used`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...read, last_used_at: 7 }),
  });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ ...read, last_used_at: null });
});

test('unless it is asked for nothing of it is noted or told', async () => {
  const latchkey = await served();
  expect((await send({ port: latchkey.proxyPort, path: '/', headers: [['apikey', 'used']] })).status).toBe(200);
  expect((await shown(latchkey))['used']).not.toHaveProperty('last_used_at');
});
