/** Raw bytes on a socket: what the client gets, and that the upstream sees nothing it should not. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchangeRaw, startRawStage } from '../support/raw-stage.ts';
import { framing } from './raw-requests/framing.ts';
import type { RawCase } from './raw-requests/raw-case.ts';

const tables: readonly (readonly [subject: string, rows: readonly RawCase[]])[] = [['framing', framing]];

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
    if (/(?:400|405|408|413|414|417|431|501) close$/.test(answers)) expect(text).toMatch(refusal);
  });
});
