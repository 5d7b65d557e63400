/** What docs/keys.md shows, done: its commands run, its Secrets served by a whole Latchkey. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { send } from '../support/client.ts';
import { startLatchkey, type LatchkeyProcess } from '../support/latchkey-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startUpstream } from '../support/upstream.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'keys.md'), 'utf8');
const main = join(root, 'src', 'main.ts');

/** The block of the page with this mark. */
function block(mark: string): string {
  const found = new RegExp(`\`\`\`\\w+ keys=${mark}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`docs/keys.md has no block keys=${mark}`);
  return found;
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a command of the page in a shell where `latchkey` is the one of this checkout. */
async function shell(command: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const script = `latchkey() { "$NODE" "$MAIN" "$@"; }\n${command}`;
  const child = spawn('sh', ['-c', script], { env: { ...process.env, NODE: process.execPath, MAIN: main, ...env } });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: (await ended)[0], output, errors };
}

const hashOf = async (key: string): Promise<string> => (await shell(block('hash'), { KEY: key })).output.trim();

const consumer = (name: string, namespace: string, secrets: readonly string[]): string =>
  `apiVersion: configuration.konghq.com/v1\nkind: KongConsumer\nmetadata: { name: ${name}, namespace: ${namespace}, annotations: { kubernetes.io/ingress.class: kong } }\nusername: ${name}\ncredentials: [${secrets.join(', ')}]\n`;

const secret = (name: string, namespace: string, key: string, more = ''): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name}, namespace: ${namespace}, labels: { konghq.com/credential: key-auth }${more} }\nstringData: { key: ${key} }\n`;

function guarded(port: number): string {
  return `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: guarded
  annotations: { konghq.com/plugins: key-auth, latchkey.dev/consumer-namespaces: same }
spec:
  ingressClassName: kong
  rules: [{ http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: echo, port: { number: 80 } } } }] } }]
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: { name: key-auth }
plugin: key-auth
---
apiVersion: v1
kind: Service
metadata: { name: echo }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: echo-1, labels: { kubernetes.io/service-name: echo } }
addressType: IPv4
ports: [{ name: http, port: ${port} }]
endpoints: [{ addresses: [127.0.0.1] }]
`;
}

async function served(...objects: readonly string[]): Promise<LatchkeyProcess> {
  const upstream = await startUpstream();
  onTestFinished(async () => upstream.close());
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'all.yaml'), [guarded(upstream.port), ...objects].join('---\n'));
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '1', '--log-level', 'debug']);
  onTestFinished(async () => void (await latchkey.stop()));
  return latchkey;
}

const ask = async ({ proxyPort: port }: LatchkeyProcess, key: string) =>
  send({ port, method: 'GET', path: '/', headers: [['apikey', key]] });

test('a key whose hash the command printed is let in, and the Admin API cannot show it', async () => {
  const hash = await hashOf('a-random-key');
  expect(hash).toMatch(/^sha256:[0-9a-f]{64}$/);
  const latchkey = await served(consumer('bob', 'default', ['bob-2027']), block('hashed').replace('HASH', hash));
  expect((await ask(latchkey, 'a-random-key')).status).toBe(200);
  expect((await ask(latchkey, hash)).status).toBe(401);
  const shown = await (await fetch(`http://127.0.0.1:${latchkey.adminPort}/key-auths`)).json();
  expect(shown).toMatchObject({ data: [{ key: null }] });
  expect(JSON.stringify(shown)).not.toContain(hash.slice(7));
});

test('one end of a line is no part of the key; what could be no key is refused', async () => {
  const plain = await hashOf('k');
  expect((await shell("printf 'k\\n' | latchkey keys hash")).output.trim()).toBe(plain);
  expect((await shell("printf 'k\\r\\n' | latchkey keys hash")).output.trim()).toBe(plain);
  for (const input of ['', '\\n', 'a\\nb', '\\377', ' k']) {
    const { code, output, errors } = await shell(`printf '${input}' | latchkey keys hash`);
    expect([input, code, output]).toEqual([input, 1, '']);
    expect(errors).toMatch(/^latchkey: /);
  }
});

test('the Secret that ends is served until then', async () => {
  const ending = block('ending').replace('KEY', 'ending').replace('2027-01-31', '2199-01-31');
  const latchkey = await served(consumer('bob', 'default', ['bob-2027']), ending);
  expect((await ask(latchkey, 'ending')).status).toBe(200);
});

test('every refused key gets the same answer; the log alone knows why', async () => {
  const latchkey = await served(
    consumer('old', 'dev', ['old']),
    secret('old', 'dev', 'taken-key', ', creationTimestamp: "2020-01-01T00:00:00Z"'),
    consumer('young', 'default', ['young', 'over']),
    secret('young', 'default', 'taken-key', ', creationTimestamp: "2024-01-01T00:00:00Z"'),
    secret('over', 'default', 'over-key', ', annotations: { latchkey.dev/expires-at: "2020-01-01T00:00:00Z" }'),
    consumer('dev', 'dev', ['dev']),
    secret('dev', 'dev', 'dev-key'),
  );
  const answers = [];
  for (const key of ['unknown-key', 'over-key', 'dev-key', 'taken-key']) {
    const { status, body, headers } = await ask(latchkey, key);
    // What differs between any two answers, whatever they are.
    const { date: _, 'x-kong-request-id': id, 'x-kong-response-latency': __, ...same } = headers;
    answers.push({ status, body: body.replaceAll(String(id), 'ID'), same });
  }
  expect(answers[0]).toMatchObject({ status: 401 });
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  for (const outcome of ['unknown-key', 'expired-key', 'wrong-namespace']) {
    await latchkey.printed(`"outcome":"${outcome}"`);
  }
  for (const key of ['over-key', 'dev-key', 'taken-key']) expect(latchkey.output()).not.toContain(key);
});
