/** Who the client is where proxies stand in front, and which headers tell of the gateway. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { exchangeRaw, startRawStage } from '../support/raw-stage.ts';
import { runLatchkey } from '../support/latchkey-process.ts';
import { get } from './raw-requests/raw-case.ts';

/** What the client and the upstream saw of one request. */
async function exchanged(flags: readonly string[], fields: readonly string[], path = '/x') {
  const stage = await startRawStage(flags);
  onTestFinished(async () => stage.stop());
  const { text } = await exchangeRaw(stage.port, [get(path, ...fields, 'Connection: close')], 'close');
  const seen = await stage.seen();
  const values = (head: string, name: string): string[] =>
    [...head.matchAll(new RegExp(`^${name}: (.*)\r$`, 'gim'))].map(([, value]) => value ?? '');
  return {
    sent: (name: string) => values(seen, name).join(' | '),
    answered: (name: string) => values(text, name).join(' | '),
    text,
  };
}

const told = [
  'X-Real-IP: 198.51.100.1',
  'X-Forwarded-For: 203.0.113.9, 198.51.100.2',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: shop.example',
  'X-Forwarded-Port: 443',
  'X-Forwarded-Path: /whole/x',
  'X-Forwarded-Prefix: /whole',
  'Forwarded: for=203.0.113.9;proto=https',
];

describe('an untrusted client', () => {
  test('is who connects; only X-Forwarded-For keeps what it says, before its own address', async () => {
    const { sent } = await exchanged([], told);
    expect(sent('X-Real-IP')).toBe('127.0.0.1');
    expect(sent('X-Forwarded-For')).toBe('203.0.113.9, 198.51.100.2, 127.0.0.1');
    expect([sent('X-Forwarded-Proto'), sent('X-Forwarded-Host'), sent('X-Forwarded-Path')]).toEqual([
      'http',
      'a',
      '/x',
    ]);
    expect(sent('X-Forwarded-Port')).toMatch(/^\d+$/);
    expect(sent('X-Forwarded-Port')).not.toBe('443');
    expect([sent('X-Forwarded-Prefix'), sent('Forwarded')]).toEqual(['', '']);
  });

  test('is untrusted also where others are trusted', async () => {
    const { sent } = await exchanged(['--trusted-ips', '10.0.0.0/8,::1'], told);
    expect([sent('X-Real-IP'), sent('X-Forwarded-Proto'), sent('Forwarded')]).toEqual(['127.0.0.1', 'http', '']);
  });
});

describe('a trusted proxy', () => {
  test('speaks for its client', async () => {
    const { sent } = await exchanged(['--trusted-ips', '127.0.0.0/8'], told);
    expect(sent('X-Real-IP')).toBe('198.51.100.1');
    expect(sent('X-Forwarded-For')).toBe('203.0.113.9, 198.51.100.2, 127.0.0.1');
    expect([sent('X-Forwarded-Proto'), sent('X-Forwarded-Host'), sent('X-Forwarded-Port')]).toEqual([
      'https',
      'shop.example',
      '443',
    ]);
    expect([sent('X-Forwarded-Path'), sent('X-Forwarded-Prefix')]).toEqual(['/whole/x', '/whole']);
    expect(sent('Forwarded')).toBe('for=203.0.113.9;proto=https, for=127.0.0.1;host=a;proto=http');
  });

  test('that says nothing is the client', async () => {
    const { sent } = await exchanged(['--trusted-ips', '127.0.0.1'], []);
    expect([sent('X-Real-IP'), sent('X-Forwarded-For'), sent('Forwarded')]).toEqual(['127.0.0.1', '127.0.0.1', '']);
  });

  test('tells it in the header that is named, past others that are trusted', async () => {
    const flags = ['--trusted-ips', '127.0.0.1,198.51.100.0/24', '--real-ip-header', 'X-Forwarded-For'];
    expect((await exchanged(flags, told)).sent('X-Real-IP')).toBe('198.51.100.2');
    expect((await exchanged([...flags, '--real-ip-recursive'], told)).sent('X-Real-IP')).toBe('203.0.113.9');
  });

  test('what it names in Connection is for the gateway alone', async () => {
    const named = ['X-Forwarded-Proto: https', 'Connection: X-Forwarded-Proto'];
    expect((await exchanged(['--trusted-ips', '127.0.0.1'], named)).sent('X-Forwarded-Proto')).toBe('http');
  });
});

test('upstreams are told the port that clients come to', async () => {
  expect((await exchanged(['--port-maps', '443:1'], [])).sent('X-Forwarded-Port')).toMatch(/^\d{4,5}$/);
  // The port is chosen as the gateway starts: every one is mapped.
  const all = Array.from({ length: 65_535 - 1_024 }, (_, i) => `443:${i + 1_024}`).join(',');
  expect((await exchanged(['--port-maps', all], [])).sent('X-Forwarded-Port')).toBe('443');
});

describe('headers of the gateway', () => {
  const names = ['Server', 'Via', 'X-Kong-Upstream-Latency', 'X-Kong-Proxy-Latency', 'X-Kong-Request-Id'];
  const own = [...names, 'X-Kong-Upstream-Status', 'X-Kong-Response-Latency'];

  test.for([
    [[], names],
    [['--headers', 'off'], []],
    [
      ['--headers', 'server_tokens'],
      ['Server', 'Via'],
    ],
    [
      ['--headers', 'latency_tokens'],
      ['X-Kong-Upstream-Latency', 'X-Kong-Proxy-Latency'],
    ],
    [
      ['--headers', 'via,x-kong-upstream-status'],
      ['Via', 'X-Kong-Upstream-Status'],
    ],
  ] as const)('%s: a forwarded answer has %s', async ([flags, expected]) => {
    const { answered } = await exchanged(flags, []);
    expect(own.filter((name) => answered(name) !== '')).toEqual(expected);
  });

  test.for([
    [[], ['Server', 'X-Kong-Request-Id', 'X-Kong-Response-Latency']],
    [['--headers', 'off'], []],
    [['--headers', 'server_tokens'], ['Server']],
  ] as const)('%s: an answer of its own has %s', async ([flags, expected]) => {
    const { answered, text } = await exchanged(flags, [], '/guarded');
    expect(own.filter((name) => answered(name) !== '')).toEqual(expected);
    expect(text).toMatch(/"request_id":"[0-9a-f]{32}"/);
  });

  test('the upstream gets the id of the request that the client gets, unless it is to get none', async () => {
    const usual = await exchanged([], ['X-Kong-Request-Id: forged']);
    expect(usual.sent('X-Kong-Request-Id')).toBe(usual.answered('X-Kong-Request-Id'));
    const none = await exchanged(['--headers-upstream', 'off'], ['X-Kong-Request-Id: forged']);
    expect(none.sent('X-Kong-Request-Id')).toBe('');
  });

  test('route and service are told to who asks, also with a refusal, where that is allowed', async () => {
    const flags = ['--allow-debug-header'];
    const asked = await exchanged(flags, ['Kong-Debug: 1'], '/guarded');
    expect(asked.text).toMatch(/^HTTP\/1\.1 401 /);
    expect(asked.answered('Kong-Route-Name')).toMatch(/^default\/guarded\//);
    expect(asked.answered('Kong-Service-Name')).toBe('default/s/80');
    expect((await exchanged(flags, [])).answered('Kong-Route-Name')).toBe('');
    expect((await exchanged([], ['Kong-Debug: 1'])).answered('Kong-Route-Name')).toBe('');
  });
});

test.for([
  ['--trusted-ips', '10.0.0.0/33', 'is neither an address nor a CIDR'],
  ['--trusted-ips', 'localhost', 'is neither an address nor a CIDR'],
  ['--real-ip-header', 'proxy_protocol', 'the PROXY protocol is not supported'],
  ['--port-maps', '443', 'are no two ports'],
  ['--port-maps', '443:8443:1', 'are no two ports'],
  ['--port-maps', '0:70000', 'are no two ports'],
  ['--headers', 'X-Powered-By', 'there is no header x-powered-by to show'],
  ['--headers-upstream', 'Via', 'there is no header via to show'],
] as const)('%s %s is refused', async ([flag, value, message]) => {
  const { code, stderr } = await runLatchkey(['run', '--dir', '.', flag, value]);
  expect([code === 0, stderr.includes(message)]).toEqual([false, true]);
});
