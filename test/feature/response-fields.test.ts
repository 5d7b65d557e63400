/** Fields of an answer, byte by byte: what the upstream says in whatever encoding is for its client to read. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { askHttp2, openHttp2 } from '../support/http2-client.ts';
import { oneService } from '../support/one-service.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';
import { emptyPipeline, objectsOf } from '../support/silent-pipeline.ts';

let gateway: Awaited<ReturnType<typeof emptyPipeline>>;

beforeAll(async () => {
  gateway = await emptyPipeline();
});

afterAll(async () => {
  await gateway.pipeline.stop(0);
});

/** As text of which each character is a byte. */
const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');

/** A gateway in front of an upstream whose every answer has these fields. */
async function answeredWith(fields: readonly string[]): Promise<void> {
  const head = ['HTTP/1.1 200 OK', 'Content-Length: 2', ...fields].join('\r\n');
  const upstream = await scriptedUpstream({ onRequest: [`${head}\r\n\r\nok`, `${head}\r\n\r\nok`] });
  gateway.source.set(objectsOf(oneService(upstream.port)));
  await gateway.pipeline.settled();
}

async function received(bytes: string): Promise<string> {
  const socket = connect(gateway.pipeline.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.write(bytes, 'latin1');
  await once(socket, 'close', { signal: AbortSignal.timeout(60_000) });
  return text;
}

describe.for([
  ['a file name in UTF-8', 'Content-Disposition', bytesOf('attachment; filename="日本é.txt"')],
  ['a file name in Latin-1', 'Content-Disposition', 'attachment; filename="\u00e9.txt"'],
  ['a file name in an odd spelling', 'content-DISPOSITION', bytesOf('attachment; filename="日.txt"')],
  ['text in UTF-8', 'X-A', bytesOf('日')],
  [
    'every byte that may be there',
    'X-A',
    `a${String.fromCharCode(9, ...Array.from({ length: 95 }, (_, i) => 32 + i))}z`,
  ],
  ['every byte beyond ASCII', 'X-A', String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 128 + i))],
] as const)('%s', ([, name, value]) => {
  test('over HTTP/1.1', async () => {
    await answeredWith([`${name}: ${value}`]);
    const text = await received('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
    expect(text).toContain(`\r\n${name}: ${value}\r\n`);
  });

  test('over HTTP/2', async () => {
    await answeredWith([`${name}: ${value}`]);
    const answer = await askHttp2(openHttp2(`http://127.0.0.1:${gateway.pipeline.port}`), { ':path': '/' });
    expect([answer.status, answer.headers[name.toLowerCase()], answer.body]).toEqual([200, value, 'ok']);
  });
});
