/** No key in the memory of the running process. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { heapFlags, heapText } from '../support/heap-text.ts';
import { startLatchkey } from '../support/latchkey-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const secret = (name: string, field: string): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name}, labels: { konghq.com/credential: key-auth } }\n${field}\n`;

const consumer = (name: string, credential: string): string =>
  `apiVersion: configuration.konghq.com/v1\nkind: KongConsumer\nmetadata: { name: ${name}, annotations: { kubernetes.io/ingress.class: kong } }\nusername: ${name}\ncredentials: [${credential}]\n`;

test('a heap snapshot after loading 1,000 keys and a collection holds none of them', async () => {
  const dir = temporaryFolder();
  const snapshots = temporaryFolder();
  const keys = Array.from({ length: 1_000 }, () => `planted-${randomBytes(12).toString('hex')}`);
  for (const [i, key] of keys.slice(0, 900).entries()) {
    const field = i % 2 === 0 ? `stringData: { key: ${key} }` : `data: { key: ${Buffer.from(key).toString('base64')} }`;
    writeFileSync(
      join(dir, `c${i}.yaml`),
      `${consumer(`visible-consumer-${i}`, `k${i}`)}---\n${secret(`k${i}`, field)}`,
    );
  }
  const latchkey = await startLatchkey(
    ['run', '--dir', dir, '--workers', '1', '--log-level', 'debug'],
    heapFlags(snapshots),
  );
  onTestFinished(async () => void (await latchkey.stop()));
  const admin = `http://127.0.0.1:${latchkey.adminPort}`;
  // Keys that come in and go out through the Admin API must not stay either.
  for (const [i, key] of keys.slice(900).entries()) {
    const created = await fetch(`${admin}/consumers/visible-consumer-${i}/key-auth`, {
      method: 'POST',
      body: new URLSearchParams({ key }),
    });
    expect(created.status).toBe(201);
    expect(await (await fetch(`${admin}/consumers/visible-consumer-${i}/key-auth/${key}`)).json()).toMatchObject({
      key,
    });
    await fetch(`http://127.0.0.1:${latchkey.proxyPort}/?apikey=${key}`);
  }
  const text = await heapText(latchkey, snapshots);
  // The snapshot is one of the process that holds these consumers.
  expect(text).toContain('visible-consumer-899');
  const found = keys.filter(
    (key) => text.includes(key) || text.includes(Buffer.from(key).toString('base64').replace(/=+$/, '')),
  );
  expect(found).toEqual([]);
  // Nor in what it logged, at debug.
  expect(keys.filter((key) => latchkey.output().includes(key))).toEqual([]);
});
