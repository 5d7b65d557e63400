/** The log of authentication attempts: one line each at debug, never the key; nothing at info. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bobWith, keyAuthPlugin } from '../support/bobs-key.ts';
import { startLatchkey } from '../support/latchkey-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const manifests = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: a, annotations: { konghq.com/plugins: key-auth } }
spec:
  ingressClassName: kong
  rules: [{ http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: s, port: { number: 80 } } } }] } }]
---
${keyAuthPlugin}---
${bobWith('live', 'over')}---
apiVersion: v1
kind: Secret
metadata: { name: live, labels: { konghq.com/credential: key-auth } }
stringData: { key: secret-live }
---
apiVersion: v1
kind: Secret
metadata: { name: over, creationTimestamp: "2020-01-01T00:00:00Z", labels: { konghq.com/credential: key-auth } }
stringData: { key: secret-over, ttl: "60" }
`;

interface Line {
  readonly attempt?: {
    readonly outcome: string;
    readonly route: string;
    readonly consumer?: string;
    readonly credential?: string;
  };
}

test('each attempt is a line with outcome, route, and for who got in consumer and credential', async () => {
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), manifests);
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '1', '--log-level', 'debug']);
  onTestFinished(async () => void (await latchkey.stop()));
  for (const key of ['', 'secret-live', 'secret-over', 'secret-none']) {
    await fetch(`http://127.0.0.1:${latchkey.proxyPort}/?apikey=${key}`);
  }
  await latchkey.printed('unknown-key');
  const lines = latchkey
    .output()
    .split('\n')
    .filter((line) => line.includes('"attempt"'));
  const attempts = lines.map((line) => (JSON.parse(line) as Line).attempt);
  expect(attempts.map((attempt) => attempt?.outcome)).toEqual(['no-key', 'granted', 'expired-key', 'unknown-key']);
  expect(attempts.map((attempt) => attempt?.route)).toEqual(Array.from({ length: 4 }, () => 'default/a'));
  expect(attempts.map((attempt) => attempt?.consumer)).toEqual([undefined, 'bob', undefined, undefined]);
  expect(attempts[1]?.credential).toMatch(/^[0-9a-f-]{36}$/);
  expect(latchkey.output()).not.toContain('secret-');
});

test('at info there are none', async () => {
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), manifests);
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '1']);
  await fetch(`http://127.0.0.1:${latchkey.proxyPort}/`);
  expect(await latchkey.stop()).toBe(0);
  expect(latchkey.output()).not.toContain('attempt');
});
