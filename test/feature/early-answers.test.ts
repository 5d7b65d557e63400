/** Answers to requests whose body is still on its way: the client must get to read them. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRawStage } from '../support/raw-stage.ts';

let stage: Awaited<ReturnType<typeof startRawStage>>;

beforeAll(async () => {
  stage = await startRawStage();
});

afterAll(async () => {
  await stage.stop();
});

/** A connection, and what comes of it once it is closed. */
function opened() {
  const socket: Socket = connect(stage.port, '127.0.0.1');
  let text = '';
  let error: string | undefined;
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', ({ code }: NodeJS.ErrnoException) => (error = code));
  const closed = async () => {
    await once(socket, 'close', { signal: AbortSignal.timeout(20_000) });
    return { statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => code), error, text };
  };
  return { socket, closed };
}

const size = 8_000_000;
const head = (more = ''): string => `POST /guarded HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n${more}\r\n`;

test('a refusal reaches a client that sends 8 MB and reads only then', async () => {
  for (let i = 0; i < 20; i += 1) {
    const { socket, closed } = opened();
    socket.write(head());
    socket.write(Buffer.alloc(size));
    const { statuses, error, text } = await closed();
    expect([statuses, error]).toEqual([['401'], undefined]);
    expect(text).toMatch(/"message":"No API key found in request"/);
  }
  expect(await stage.seen()).toBe('');
});

test('what follows such a body is not served', async () => {
  const { socket, closed } = opened();
  socket.write(head());
  socket.write(Buffer.alloc(size));
  socket.write('GET /after HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await closed()).statuses).toEqual(['401']);
  expect(await stage.seen()).toBe('');
});

test('a client that sends no more is let go after a while, one that waits for 100 Continue at once', async () => {
  const [stalled, waiting] = [opened(), opened()];
  stalled.socket.write(head());
  stalled.socket.write('start');
  waiting.socket.write(head('Expect: 100-continue\r\n'));
  expect((await Promise.race([stalled.closed(), waiting.closed()])).text).not.toContain('100 Continue');
  expect(waiting.socket.closed).toBe(true);
  expect((await stalled.closed()).statuses).toEqual(['401']);
});
