/** Clients of HTTP/2 that others wrote. Skipped where they are not installed; never in CI, which installs them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { outputOf, programPath } from '../support/programs.ts';
import { startRawStage } from '../support/raw-stage.ts';

const isAbsent = (program: string): boolean => programPath(program) === undefined && process.env['CI'] === undefined;

let stage: Awaited<ReturnType<typeof startRawStage>>;
beforeAll(async () => {
  stage = await startRawStage();
});
afterAll(async () => stage.stop());

const plain = (path: string): string => `http://127.0.0.1:${stage.port}${path}`;
const secure = (path: string): string => `https://127.0.0.1:${stage.httpsPort}${path}`;

describe.skipIf(isAbsent('curl'))('curl (skipped where it is not installed)', () => {
  const curl = async (...args: readonly string[]): Promise<string> =>
    outputOf('curl', ['-sk', '--max-time', '60', '-o', '/dev/null', '-w', '%{http_version} %{http_code}', ...args]);
  const key = ['-H', 'apikey: bobs-key'];

  test.for([
    ['--http2 over TLS', '--http2', secure],
    ['--http2-prior-knowledge without', '--http2-prior-knowledge', plain],
  ] as const)('%s', async ([, option, url]) => {
    expect(await curl(option, ...key, url('/guarded'))).toBe('2 200');
    expect(await stage.seen()).toMatch(/^GET \/guarded HTTP\/1\.1\r\n[^]*\r\nX-Consumer-Username: bob\r\n/);
    expect(await curl(option, url('/guarded'))).toBe('2 401');
    expect(await curl(option, ...key, '--data', 'body', url('/guarded'))).toBe('2 200');
    expect(await stage.seen()).toMatch(/^POST [^]*\r\n\r\nbody$/);
    expect(await curl(option, '--data', 'x'.repeat(100_000), url('/guarded'))).toBe('2 401'); // answered amid its body
    expect(await stage.seen()).toBe('');
  });

  test('--http2 without TLS asks for an upgrade, and is served over HTTP/1.1', async () => {
    expect(await curl('--http2', ...key, plain('/guarded'))).toBe('1.1 200');
    expect(await stage.seen()).not.toMatch(/h2c|http2-settings/i);
  });
});

describe.skipIf(isAbsent('h2load'))('h2load (skipped where it is not installed: nghttp2-client)', () => {
  const load = async (url: string, ...more: readonly string[]): Promise<string> =>
    outputOf('h2load', ['-n', '1000', '-c', '10', '-m', '100', ...more, url]);

  test.for([
    ['with TLS', secure],
    ['without', plain],
  ] as const)('1,000 requests on 100 streams of 10 connections %s', async ([, url]) => {
    const output = await load(url('/guarded'), '-H', 'apikey: bobs-key');
    expect(output).toContain('1000 succeeded, 0 failed, 0 errored, 0 timeout');
    expect(output).toContain('status codes: 1000 2xx, 0 3xx, 0 4xx, 0 5xx');
    expect((await stage.seen()).match(/^GET \/guarded /gm)).toHaveLength(1_000);
  });

  test('as many without a key are 401, and the upstream hears of none', async () => {
    const output = await load(plain('/guarded'));
    expect(output).toContain('0 errored, 0 timeout');
    expect(output).toContain('status codes: 0 2xx, 0 3xx, 1000 4xx, 0 5xx');
    expect(await stage.seen()).toBe('');
  });
});
