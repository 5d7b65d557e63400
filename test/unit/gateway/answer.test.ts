import { describe, expect, test } from 'vitest';
import { sendAnswer, type Answer, type AnswerContext } from '#gateway/answer.ts';
import type { ResponseMessage } from '#gateway/client-message.ts';
import { proxySettings } from '../../support/proxy-settings.ts';

interface Sent {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What an answer comes to on a response that only remembers. */
function sentBy(answer: Answer, context: Partial<AnswerContext>): Sent {
  let status = 0;
  let body = '';
  const headers: Record<string, string> = {};
  const response: Pick<ResponseMessage, 'headersSent' | 'destroyed' | 'writeHead' | 'end'> = {
    headersSent: false,
    destroyed: false,
    writeHead(code, _, flat) {
      status = code;
      for (let i = 0; i < flat.length; i += 2) headers[(flat[i] ?? '').toLowerCase()] = flat[i + 1] ?? '';
    },
    end(text?: unknown) {
      body = typeof text === 'string' ? text : '';
    },
  };
  // The last answer of a connection leaves at once, all others at the end of a turn of the event loop.
  sendAnswer(
    response as ResponseMessage,
    { ...answer, isLast: true },
    {
      accept: undefined,
      isHead: false,
      requestId: 'abc',
      server: 'latchkey/1',
      shown: proxySettings().headers,
      latencyMs: 3,
      ...context,
    },
  );
  return { status, headers, body };
}

const kongs: Answer = { status: 404, message: 'no Route matched with those values' };
const nginxs: Answer = { status: 502, message: 'An invalid response', raisedBy: 'nginx' };

/** kong-facts 2.2. */
describe('the format of an error', () => {
  test.for<[string, Answer, string | undefined, string | undefined, string]>([
    ['of Kong, without Accept', kongs, undefined, undefined, 'application/json'],
    ['of Kong, without Accept, whatever its body was', kongs, undefined, 'text/html', 'application/json'],
    ['of nginx, without Accept', nginxs, undefined, undefined, 'text/plain'],
    ['of nginx, without Accept, goes by the body', nginxs, undefined, 'application/json', 'application/json'],
    ['of nginx, without Accept, by a body with a charset', nginxs, undefined, 'text/html; charset=x', 'text/html'],
    ['of nginx, by a body that is none of these', nginxs, undefined, 'image/png', 'application/json'],
    ['of nginx, by Accept before the body', nginxs, 'application/xml', 'application/json', 'application/xml'],
    ['anything', nginxs, '*/*', undefined, 'application/json'],
    ['any text', kongs, 'text/*', undefined, 'text/plain'],
    ['any application', kongs, 'application/*', undefined, 'application/json'],
    ['HTML', kongs, 'text/html', undefined, 'text/html'],
    [
      'what a browser sends',
      kongs,
      'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      undefined,
      'text/html',
    ],
    ['the highest quality', kongs, 'text/html;q=0.1, text/plain;q=0.9, application/xml;q=0.5', undefined, 'text/plain'],
    ['the first of equals', kongs, 'application/xml, text/html', undefined, 'application/xml'],
    ['an unknown type', kongs, 'image/png', undefined, 'application/json'],
    ['in capitals', kongs, 'TEXT/HTML', undefined, 'text/html'],
    ['nothing wanted', kongs, 'text/html;q=0', undefined, 'application/json'],
    ['a quality that is none', kongs, 'text/html;q=x, text/plain;q=0.2', undefined, 'text/plain'],
  ])('%s', ([, answer, accept, contentType, expected]) => {
    expect(sentBy(answer, { accept, contentType }).headers['content-type']).toBe(`${expected}; charset=utf-8`);
  });

  test('bodies are Kong’s to the letter', () => {
    const body = (accept: string): string => sentBy({ status: 400, message: 'Bad request' }, { accept }).body;
    expect(body('application/json')).toBe('{\n  "message":"Bad request",\n  "request_id":"abc"\n}');
    expect(body('text/plain')).toBe('Bad request\nrequest_id: abc\n');
    expect(body('application/xml')).toContain('<message>Bad request</message>\n  <requestid>abc</requestid>');
    expect(body('text/html')).toContain('<p>Bad request.</p>\n    <p>request_id: abc</p>');
  });

  test('markup in a message stays text', () => {
    const { body } = sentBy({ status: 400, message: '<script>&"' }, { accept: 'text/html' });
    expect(body).toContain('<p>&lt;script&gt;&amp;&quot;.</p>');
  });
});

test('an attempt to proxy is told by its latencies, an answer without one by its own', () => {
  expect(sentBy(kongs, {}).headers).toMatchObject({ 'x-kong-response-latency': '3' });
  const { headers } = sentBy(nginxs, {
    upstreamLatencyMs: 7,
    shown: { ...proxySettings().headers, upstreamStatus: true },
  });
  expect(headers).toMatchObject({
    'x-kong-upstream-latency': '7',
    'x-kong-proxy-latency': '3',
    'x-kong-upstream-status': '502',
  });
  expect(headers['x-kong-response-latency']).toBeUndefined();
});

test('HEAD gets the length and no body', () => {
  const { headers, body } = sentBy(kongs, { isHead: true });
  expect([Number(headers['content-length']) > 0, body]).toEqual([true, '']);
});

test('a line break in what an answer says of itself never reaches the wire', () => {
  const { headers } = sentBy(
    {
      ...kongs,
      headers: [['WWW-Authenticate', 'Key realm="a"\r\nX-Evil: b']],
      body: { text: 'a', contentType: 'text/plain\r\nX-Evil: b' },
    },
    {},
  );
  expect([headers['www-authenticate'], headers['content-type']]).toEqual([
    'Key realm="a"X-Evil: b',
    'text/plainX-Evil: b',
  ]);
});
