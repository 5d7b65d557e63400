/** Raw bytes on a socket: what the client gets, and that the upstream sees nothing it should not. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchangeRaw, startRawStage } from '../support/raw-stage.ts';
import { expectations } from './raw-requests/expectations.ts';
import { fields } from './raw-requests/fields.ts';
import { framing } from './raw-requests/framing.ts';
import { hosts } from './raw-requests/hosts.ts';
import { identity } from './raw-requests/identity.ts';
import { get, post, type RawCase } from './raw-requests/raw-case.ts';
import { sequences } from './raw-requests/sequences.ts';
import { sizes } from './raw-requests/sizes.ts';
import { targets } from './raw-requests/targets.ts';

const tables: readonly (readonly [subject: string, rows: readonly RawCase[]])[] = [
  ['framing', framing],
  ['targets', targets],
  ['hosts', hosts],
  ['fields', fields],
  ['identity', identity],
  ['expectations and upgrades', expectations],
  ['sizes', sizes],
  ['several on one connection', sequences],
];

let stage: Awaited<ReturnType<typeof startRawStage>>;

beforeAll(async () => {
  stage = await startRawStage();
});

afterAll(async () => {
  await stage.stop();
});

/** Which of the texts stand (or for those with `!`, do not stand) in what was seen, as the row has them. */
const kept = (seen: string, wanted: readonly string[]): string[] =>
  wanted.filter((text) => (text.startsWith('!') ? !seen.includes(text.slice(1)) : seen.includes(text)));

/** The end of a head that refuses a request. */
const refusal = /Server: latchkey\/\S+\r\nX-Kong-Request-Id: [0-9a-f]{32}\r\nConnection: close\r\n/;

describe.for(tables)('%s', ([, rows]) => {
  test.for(rows)('%s', async ([, bytes, answers, wanted]) => {
    const { summary, text } = await exchangeRaw(stage.port, [bytes].flat(), answers);
    const seen = await stage.seen();
    // Both also in what is expected, so that a failure shows them.
    expect({ summary, text, seen }).toEqual({ summary: answers, text, seen: wanted === undefined ? '' : seen });
    expect({ kept: kept(seen, wanted ?? []), seen }).toEqual({ kept: wanted ?? [], seen });
    if (/(?:400|405|408|413|414|417|431|501|505) close$/.test(answers)) expect(text).toMatch(refusal);
  });
});

describe('refused, split at every byte', () => {
  const broken = post('0\r\n\r\n', 'Content-Length: 5', 'Transfer-Encoding: chunked');
  test.for(Array.from({ length: broken.indexOf('\r\n\r\n') + 3 }, (_, i) => i + 1))('after %i', async (at) => {
    const { summary } = await exchangeRaw(stage.port, [broken.slice(0, at), broken.slice(at)], '400 close');
    expect([summary, await stage.seen()]).toEqual(['400 close', '']);
  });
});

describe('split at every byte', () => {
  const whole = post('abc', 'Content-Length: 3', 'X-A: b') + get('/second');
  test.for(Array.from({ length: whole.length - 1 }, (_, i) => i + 1))('after %i', async (at) => {
    const parts = [whole.slice(0, at), whole.slice(at)];
    const { summary } = await exchangeRaw(stage.port, parts, '200 200');
    const seen = await stage.seen();
    expect([summary, kept(seen, ['\r\n\r\nabc', 'X-A: b\r\n', 'GET /second '])]).toEqual([
      '200 200',
      ['\r\n\r\nabc', 'X-A: b\r\n', 'GET /second '],
    ]);
  });
});

describe('plain HTTP on the port of TLS', () => {
  test.for(['GET', 'POST', 'DELETE', 'OPTIONS'])('%s is told so', async (method) => {
    const { summary, text } = await exchangeRaw(stage.httpsPort, [`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`], 'close');
    expect(summary).toBe('400 close');
    expect(text).toContain('\r\n\r\nThe plain HTTP request was sent to HTTPS port\nrequest_id: ');
    expect(await stage.seen()).toBe('');
  });
});
