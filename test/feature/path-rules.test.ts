/** The settings of paths, on the wire: whatever is chosen, no spelling gets past the plugin of a route. */
import { expect, onTestFinished, test } from 'vitest';
import { exchangeRaw, startRawStage } from '../support/raw-stage.ts';
import { get } from './raw-requests/raw-case.ts';

/** Status of each request, and the path that the upstream saw of it. */
async function served(flags: readonly string[], paths: readonly string[]): Promise<string[]> {
  const stage = await startRawStage(flags);
  onTestFinished(async () => stage.stop());
  const found: string[] = [];
  for (const path of paths) {
    const { summary } = await exchangeRaw(stage.port, [get(path, 'Connection: close')], 'close');
    const seen = /^GET (\S+) /.exec(await stage.seen())?.[1] ?? 'nothing';
    found.push(`${path} ${summary.replace(' close', '')} ${seen}`);
  }
  return found;
}

test('an encoded slash that is a slash', async () => {
  expect(
    await served(['--encoded-slash', 'decode'], ['/a%2Fb', '/x%2f..%2fguarded', '/%2Fguarded', '/guarded%2Fx']),
  ).toEqual([
    '/a%2Fb 200 /a/b',
    '/x%2f..%2fguarded 401 nothing',
    '/%2Fguarded 401 nothing',
    '/guarded%2Fx 401 nothing',
  ]);
});

test('an encoded slash that is refused', async () => {
  expect(await served(['--encoded-slash', 'refuse'], ['/a%2Fb', '/a/b?c=%2F'])).toEqual([
    '/a%2Fb 400 nothing',
    '/a/b?c=%2F 200 /a/b?c=%2F',
  ]);
});

test('odd characters that are sent on', async () => {
  const paths = [String.raw`/a\b`, '/a%5cb', '/a%00', '/a#b', String.raw`/x\..\guarded`, String.raw`/x\y/\guarded`];
  expect(
    await served(['--odd-path-characters', 'encode'], [...paths, '/guarded%00', '/guarded#x', '/guarded%5Cx']),
  ).toEqual([
    String.raw`/a\b 200 /a%5Cb`,
    '/a%5cb 200 /a%5Cb',
    '/a%00 200 /a%00',
    '/a#b 200 /a%23b',
    String.raw`/x\..\guarded 400 nothing`,
    String.raw`/x\y/\guarded 200 /x%5Cy/%5Cguarded`,
    '/guarded%00 400 nothing',
    '/guarded#x 400 nothing',
    '/guarded%5Cx 400 nothing',
  ]);
});

test('slashes that are not merged', async () => {
  expect(await served(['--merge-slashes', 'false'], ['/a//b', '//guarded', '/guarded//x'])).toEqual([
    '/a//b 200 /a//b',
    '//guarded 400 nothing',
    '/guarded//x 401 nothing',
  ]);
});
