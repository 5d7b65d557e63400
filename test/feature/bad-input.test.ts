/** What people get wrong when they start Latchkey or edit its directory: each a clear message, nothing else suffers. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bobWith } from '../support/bobs-key.ts';
import { freePort } from '../support/free-port.ts';
import { runLatchkey, startLatchkey } from '../support/latchkey-process.ts';
import { replaceFile } from '../support/replace-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startUpstream } from '../support/upstream.ts';

const route = (name: string, port: number): string =>
  `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name} }
spec:
  ingressClassName: kong
  rules: [{ http: { paths: [{ path: /${name}, pathType: Prefix, backend: { service: { name: echo, port: { number: 80 } } } }] } }]
---
apiVersion: v1
kind: Service
metadata: { name: echo-of-${name} }
spec: { ports: [{ port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: slice-of-${name}, labels: { kubernetes.io/service-name: echo-of-${name} } }
addressType: IPv4
endpoints: [{ addresses: [127.0.0.1] }]
ports: [{ port: ${port} }]
`.replace('name: echo, port', `name: echo-of-${name}, port`);

describe('the command line', () => {
  test.for([
    { args: ['run', '--dir', 'x', '--bogus'], text: "unknown option '--bogus'" },
    { args: ['run'], text: 'nothing to serve: name a directory with --dir' },
    { args: ['run', '--dir', 'x', '--kubeconfig', 'y'], text: 'cannot be given together' },
    { args: ['run', '--dir', 'x', '--workers', 'many'], text: 'expected a whole number from 1 to 256' },
    { args: ['run', '--dir', 'x', '--proxy-listen', 'nowhere'], text: 'expected an address such as 127.0.0.1:8001' },
    { args: ['run', '--dir', 'x', '--log-level', 'loud'], text: 'Allowed choices are' },
    { args: ['check'], text: "missing required argument 'dir'" },
    { args: ['no-such-command'], text: "unknown command 'no-such-command'" },
  ])('$args is one line and exit code 2', async ({ args, text }) => {
    const { code, stderr } = await runLatchkey(args);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('flags can be set in the environment, and a wrong value there is told too', async () => {
    const { code, stderr } = await runLatchkey(['run', '--dir', 'x'], { LATCHKEY_WORKERS: 'many' });
    expect([code, stderr.includes('LATCHKEY_WORKERS')]).toEqual([2, true]);
  });

  test('--version and --help', async () => {
    expect(await runLatchkey(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
    expect(await runLatchkey(['run', '--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('--proxy-listen') as string,
    });
  });

  test('a directory that does not exist', async () => {
    const { code, stderr } = await runLatchkey([
      'run',
      '--dir',
      '/no/such/folder',
      '--proxy-listen',
      `127.0.0.1:${await freePort()}`,
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^latchkey: .*\/no\/such\/folder does not exist\n$/);
  });

  test('a port that is already taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const { code, stderr } = await runLatchkey([
      'run',
      '--dir',
      temporaryFolder(),
      '--proxy-listen',
      `127.0.0.1:${port}`,
    ]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `latchkey: --proxy-listen: the address 127.0.0.1:${port} is already taken by another program\n`,
    );
  });

  test('the port of TLS that is already taken, or that of plain HTTP', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const run = async (proxy: number, https: number) =>
      runLatchkey([
        'run',
        '--dir',
        temporaryFolder(),
        '--proxy-listen',
        `127.0.0.1:${proxy}`,
        '--https-listen',
        `127.0.0.1:${https}`,
      ]);
    expect(await run(await freePort(), port)).toMatchObject({
      code: 1,
      stderr: `latchkey: --https-listen: the address 127.0.0.1:${port} is already taken by another program\n`,
    });
    const free = await freePort();
    expect(await run(free, free)).toMatchObject({
      code: 1,
      stderr: `latchkey: --https-listen: the port ${free} is that of --proxy-listen\n`,
    });
  });

  test('a port that another Latchkey shares among its workers', async () => {
    const first = await startLatchkey(['run', '--dir', temporaryFolder(), '--workers', '1']);
    onTestFinished(async () => void (await first.stop()));
    const { code, stderr } = await runLatchkey([
      'run',
      '--dir',
      temporaryFolder(),
      '--proxy-listen',
      `127.0.0.1:${first.proxyPort}`,
    ]);
    expect([code, stderr.includes('already taken')]).toEqual([1, true]);
  });
});

describe('latchkey check', () => {
  test('tells kind, name, reason, message and place of everything, and exits 1', async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'good.yaml'), route('good', 1));
    writeFileSync(
      join(dir, 'plugin.yaml'),
      'apiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: { name: p }\nplugin: no-such\n',
    );
    writeFileSync(join(dir, 'torn.yaml'), 'kind: Secret\n  bad: [\n');
    writeFileSync(join(dir, 'nameless.yaml'), 'apiVersion: v1\nkind: Secret\nmetadata: {}\n');
    const { code, stdout } = await runLatchkey(['check', dir]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/Ingress +default\/good +True +Programmed +\S*good\.yaml:1/);
    expect(stdout).toMatch(
      /KongPlugin +default\/p +False +UnknownPlugin +\S*plugin\.yaml:1\S* +plugin: Latchkey has no plugin no-such/,
    );
    expect(stdout).toMatch(/torn\.yaml:1:\d+ +\S/);
    expect(stdout).toMatch(/nameless\.yaml:1\S* .*metadata\.name/);
  });

  test('prints JSON for machines, and exits 0 when all is in force', async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'good.yaml'), route('good', 1));
    const { code, stdout } = await runLatchkey(['check', dir, '--output', 'json']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as {
      isAllInForce: boolean;
      objects: { kind: string; programmed: string; line: number }[];
    };
    expect(report.isAllInForce).toBe(true);
    expect(report.objects.find(({ kind }) => kind === 'Ingress')).toMatchObject({ programmed: 'True', line: 1 });
  });

  test('a key that ends soon is told, and no failure', async () => {
    const dir = temporaryFolder();
    const at = new Date(Date.now() + 3 * 86_400_000).toISOString();
    writeFileSync(
      join(dir, 'key.yaml'),
      `apiVersion: v1
kind: Secret
metadata:
  name: key
  labels: { konghq.com/credential: key-auth }
  annotations: { latchkey.dev/expires-at: "${at}" }
stringData: { key: a-key }
---
${bobWith('key')}`,
    );
    const { code, stdout } = await runLatchkey(['check', dir]);
    expect(stdout).toMatch(/KongConsumer +default\/bob +True +CredentialExpiring/);
    expect(code).toBe(0);
    const unwarned = await runLatchkey(['check', dir, '--key-expiry-warning', '2']);
    expect(unwarned.stdout).toMatch(/KongConsumer +default\/bob +True +Programmed/);
  });

  test('an object of another class is ignored and said so', async () => {
    const dir = temporaryFolder();
    writeFileSync(
      join(dir, 'other.yaml'),
      route('other', 1).replace('ingressClassName: kong', 'ingressClassName: nginx'),
    );
    const { code, stdout } = await runLatchkey(['check', dir]);
    expect([code, stdout.includes('its ingress class is nginx, not kong')]).toEqual([0, true]);
  });
});

describe('a directory that is served', () => {
  test('a file that no longer parses keeps what it held; other files go on', async () => {
    const upstream = await startUpstream();
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'a.yaml'), route('a', upstream.port));
    const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '1']);
    onTestFinished(async () => {
      await latchkey.stop();
      await upstream.close();
    });
    const status = async (path: string) => (await fetch(`http://127.0.0.1:${latchkey.proxyPort}${path}`)).status;
    replaceFile(join(dir, 'a.yaml'), 'kind: [\n');
    await latchkey.printed('a.yaml:');
    expect(await status('/a')).toBe(200);
    writeFileSync(
      join(dir, 'b.yaml'),
      'apiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: { name: late }\nplugin: odd\n',
    );
    await latchkey.printed('Latchkey has no plugin odd');
    expect(await status('/a')).toBe(200);
  });

  test('a directory that disappears stays in force, and is compared when it is back', async () => {
    const upstream = await startUpstream();
    const folder = temporaryFolder();
    const dir = join(folder, 'served');
    mkdirSync(dir);
    writeFileSync(join(dir, 'a.yaml'), route('a', upstream.port));
    const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '1']);
    onTestFinished(async () => {
      await latchkey.stop();
      await upstream.close();
    });
    const status = async (path: string) => (await fetch(`http://127.0.0.1:${latchkey.proxyPort}${path}`)).status;
    renameSync(dir, join(folder, 'away'));
    await latchkey.printed('disappeared');
    expect(await status('/a')).toBe(200);
    rmSync(join(folder, 'away', 'a.yaml'));
    writeFileSync(
      join(folder, 'away', 'b.yaml'),
      `${route('b', upstream.port)}---\napiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: { name: mark }\nplugin: back-again\n`,
    );
    renameSync(join(folder, 'away'), dir);
    await latchkey.printed('Latchkey has no plugin back-again');
    expect([await status('/a'), await status('/b')]).toEqual([404, 200]);
  });
});
