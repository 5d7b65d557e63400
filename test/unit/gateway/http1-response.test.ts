/** Heads of responses as they leave, beside those of Node's own response: its fields that nobody promises are the same. */
import { once } from 'node:events';
import { createServer, ServerResponse, type RequestListener } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Http1Response } from '#gateway/http1-response.ts';

/** All that a server sends to a request whose connection it, or the client, ends. */
async function sent(
  response: typeof ServerResponse,
  { request, answer, keepAliveMs }: { request: string; answer: RequestListener; keepAliveMs: number },
): Promise<string> {
  const server = createServer({ ServerResponse: response, keepAliveTimeout: keepAliveMs }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  // The second says that it is the last.
  socket.write(`${request}GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  await once(socket, 'close', { signal: AbortSignal.timeout(5_000) });
  return text;
}

const head = (start: string, ...fields: string[]): string => `${[start, ...fields].join('\r\n')}\r\n\r\n`;

const requests = {
  'HTTP/1.1': head('GET / HTTP/1.1', 'Host: a'),
  'HTTP/1.1 that closes': head('GET / HTTP/1.1', 'Host: a', 'Connection: close'),
  'HTTP/1.0': head('GET / HTTP/1.0', 'Host: a'),
  'HTTP/1.0 that stays': head('GET / HTTP/1.0', 'Host: a', 'Connection: keep-alive'),
  HEAD: head('HEAD / HTTP/1.1', 'Host: a'),
};

const answers: Readonly<Record<string, readonly [status: number, fields: string[], body?: string]>> = {
  'a length': [200, ['Content-Length', '2', 'X-A', 'b'], 'ok'],
  'a length in lower case': [200, ['content-length', '2'], 'ok'],
  'no length': [200, ['Content-Type', 'text/plain'], 'ok'],
  'a date': [200, ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT', 'Content-Length', '0']],
  'the last': [200, ['Connection', 'close', 'Content-Length', '2'], 'ok'],
  'an upgrade that is asked for': [426, ['Connection', 'Upgrade', 'Upgrade', 'HTTP/2', 'Content-Length', '0']],
  'no content': [204, ['X-A', 'b']],
  'not modified': [304, ['ETag', '"a"']],
  'names as long as those that matter': [
    200,
    ['Cook', 'date', 'Connectiox', 'close', 'Content-Lengtx', '9', 'Content-Length', '0'],
  ],
  'the same name twice': [200, ['Set-Cookie', 'a', 'Set-Cookie', 'b', 'Content-Length', '0']],
};

const withoutDate = (text: string): string => text.replaceAll(/Date: \w{3}, \d\d \w{3} 20\d\d .{8} GMT/g, 'Date: now');

describe.for([0, 75_000])('with %i ms for idle connections', (keepAliveMs) => {
  describe.for(Object.entries(requests))('to %s', ([, request]) => {
    test.for(Object.entries(answers))('%s', async ([, [status, fields, body]]) => {
      const answer: RequestListener = ({ url }, response) => {
        if (url === '/last') response.writeHead(200, ['Content-Length', '0'] as never).end();
        else response.writeHead(status, 'Words', [...fields] as never).end(body);
      };
      const ours = await sent(Http1Response, { request, answer, keepAliveMs });
      const nodes = await sent(ServerResponse, { request, answer, keepAliveMs });
      expect(withoutDate(ours)).toBe(withoutDate(nodes));
      expect(ours).toMatch(new RegExp(`^HTTP/1\\.1 ${status} Words\r\n`));
    });
  });
});

test('a file name that is not ASCII goes on as it came, whatever stands before it', async () => {
  const name = Buffer.from('attachment; filename="日é.txt"').toString('latin1');
  const answer: RequestListener = (_, response) => {
    response.writeHead(200, ['Content-Length', '0', 'Content-Disposition', name] as never).end();
  };
  const text = await sent(Http1Response, { request: requests['HTTP/1.1'], answer, keepAliveMs: 0 });
  expect(text).toContain(`Content-Disposition: ${name}\r\n`);
});

test('the date is that of the second', async () => {
  const answer: RequestListener = (_, response) => response.writeHead(204).end();
  const options = { request: requests['HTTP/1.1 that closes'], answer, keepAliveMs: 0 };
  const date = async (): Promise<number> =>
    Date.parse(/Date: (.*)\r\n/.exec(await sent(Http1Response, options))?.[1] ?? '');
  const before = await date();
  await expect.poll(date, { timeout: 5_000 }).toBeGreaterThan(before);
  expect(Math.abs((await date()) - Date.now())).toBeLessThan(3_000);
});
