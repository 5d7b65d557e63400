/** Heads as they leave, beside those of Node's own responses. */
import { describe, expect, test } from 'vitest';
import { requests, sent, withoutDate, type Answer } from '../../support/response-servers.ts';

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

describe.for([0, 75_000])('with %i ms for idle connections', (keepAliveMs) => {
  describe.for(Object.entries(requests))('to %s', ([, request]) => {
    test.for(Object.entries(answers))('%s', async ([, [status, fields, body]]) => {
      const answer: Answer = (_, response) => response.writeHead(status, 'Words', [...fields]).end(body, 'latin1');
      const ours = await sent('ours', { request, answer, keepAliveMs });
      const nodes = await sent('nodes', { request, answer, keepAliveMs });
      expect(withoutDate(ours)).toBe(withoutDate(nodes));
      expect(ours).toMatch(new RegExp(`^HTTP/1\\.1 ${status} Words\r\n`));
    });
  });
});

test('a file name that is not ASCII goes on as it came, whatever stands before it, and beside a body in UTF-8', async () => {
  const name = Buffer.from('attachment; filename="日é.txt"').toString('latin1');
  const answer: Answer = (_, response) => {
    response.writeHead(200, 'OK', ['Content-Length', '2', 'Content-Disposition', name]).end('é', 'utf8');
  };
  const text = await sent('ours', { request: requests['HTTP/1.1'], answer });
  expect(text).toContain(`Content-Disposition: ${name}\r\n`);
  expect(text).toContain(`\r\n\r\n${Buffer.from('é').toString('latin1')}HTTP/1.1 200`);
});

test('the date is that of the second', async () => {
  const answer: Answer = (_, response) => response.writeHead(204, 'No Content', []).end();
  const options = { request: requests['HTTP/1.1 that closes'], answer };
  const date = async (): Promise<number> => Date.parse(/Date: (.*)\r\n/.exec(await sent('ours', options))?.[1] ?? '');
  const before = await date();
  await expect.poll(date).toBeGreaterThan(before);
  expect(Math.abs((await date()) - Date.now())).toBeLessThan(3_000);
});
