import { describe, expect, test } from 'vitest';
import { clientHeaders, withPluginHeaders } from '#gateway/response-headers.ts';
import { proxySettings } from '../../support/proxy-settings.ts';

const extras = {
  requestId: 'id',
  server: 'latchkey/1',
  via: '1.1 latchkey/1',
  shown: proxySettings(['--headers', 'server_tokens']).headers,
  upstreamStatus: 200,
  upstreamLatencyMs: 2,
  proxyLatencyMs: 1,
};

const given = (...raw: readonly string[]): string => clientHeaders(raw, extras).headers.join(' ');
const own = 'Server latchkey/1 Via 1.1 latchkey/1';

describe('of the headers of an upstream', () => {
  test.for([
    ['what is for the client goes on', ['X-A', 'b', 'Set-Cookie', 'c'], `X-A b Set-Cookie c ${own}`],
    ['a field twice stays two', ['Set-Cookie', 'b', 'set-cookie', 'c'], `Set-Cookie b set-cookie c ${own}`],
    ['hop-by-hop ones end here', ['Connection', 'close', 'Keep-Alive', 'timeout=5', 'Proxy-Connection', 'x'], own],
    ['framing is made anew', ['Transfer-Encoding', 'chunked'], own],
    ['an upgrade that nobody asked for ends here', ['Upgrade', 'h2c'], own],
    ['what Connection names ends here, wherever it stands', ['X-A', 'b', 'Connection', 'x-a, X-B', 'X-B', 'c'], own],
    [
      'Connection cannot take the length away',
      ['Content-Length', '3', 'Connection', 'content-length'],
      `Content-Length 3 ${own}`,
    ],
    ['its own Server stays', ['Server', 'nginx'], 'Server nginx Via 1.1 latchkey/1'],
    ['Via is extended', ['Via', '1.1 a', 'via', '1.0 b'], 'Server latchkey/1 Via 1.1 a, 1.0 b, 1.1 latchkey/1'],
    ['the id of the request is ours to state', ['X-Kong-Request-Id', 'forged'], own],
    ['a type without a charset stays so', ['Content-Type', 'text/html'], `Content-Type text/html ${own}`],
    ['proxies may be asked for a password', ['Proxy-Authenticate', 'Basic'], `Proxy-Authenticate Basic ${own}`],
  ] as const)('%s', ([, raw, expected]) => {
    expect(given(...raw)).toBe(expected);
  });

  test('the id of the request is not passed on either where none is shown', () => {
    const shown = proxySettings(['--headers', 'off']).headers;
    expect(clientHeaders(['X-Kong-Request-Id', 'x', 'Via', '1.1 a'], { ...extras, shown }).headers).toEqual([
      'Via',
      '1.1 a',
    ]);
  });
});

test('204 states no length, since it has no body', () => {
  const { headers, contentLength } = clientHeaders(['Content-Length', '3', 'X-A', 'b'], {
    ...extras,
    upstreamStatus: 204,
  });
  expect([headers.slice(0, 2), contentLength]).toEqual([['X-A', 'b'], undefined]);
});

test('a line break in what a plugin adds never reaches the wire', () => {
  const added = [{ name: 'X-A', value: 'b\r\nX-Evil: c\0\u007f\u65e5\té', isSole: false }];
  expect(withPluginHeaders([], added)).toEqual(['X-A', 'bX-Evil: c\té']);
});
