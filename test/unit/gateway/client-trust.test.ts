import { describe, expect, test } from 'vitest';
import { clientTrust } from '#gateway/client-trust.ts';

const trust = (trustedIps: readonly string[], realIpRecursive = false) => {
  const found = clientTrust({ trustedIps, realIpHeader: 'X-Forwarded-For', realIpRecursive });
  if (found === undefined) throw new Error('nobody is trusted');
  return found;
};

test('where nobody is trusted nothing needs to be asked', () => {
  expect(clientTrust({ trustedIps: [], realIpHeader: 'X-Real-IP', realIpRecursive: false })).toBeUndefined();
});

describe('who is trusted', () => {
  test.for([
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['2001:db8::/32', '2001:db8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['10.0.0.0/8', '', false],
    ['10.0.0.0/8', 'nonsense', false],
  ] as const)('of %s: %s is %s', ([range, address, expected]) => {
    const { isTrusted } = trust([range]);
    expect([isTrusted(address), isTrusted(address)]).toEqual([expected, expected]);
  });
});

describe('whose address it is', () => {
  test.for([
    ['nothing told', false, [], '10.0.0.1'],
    ['an empty value', false, [''], '10.0.0.1'],
    ['one address', false, ['198.51.100.7'], '198.51.100.7'],
    ['the last of several', false, ['203.0.113.9, 198.51.100.7'], '198.51.100.7'],
    ['the last field', false, ['203.0.113.9', '198.51.100.7'], '198.51.100.7'],
    ['the last, though it is trusted', false, ['198.51.100.7, 10.0.0.2'], '10.0.0.2'],
    ['past those that are trusted', true, ['203.0.113.9, 198.51.100.7, 10.0.0.2, 10.0.0.3'], '198.51.100.7'],
    ['all are trusted: the first', true, ['10.0.0.4, 10.0.0.3'], '10.0.0.4'],
    ['words end the search', true, ['203.0.113.9, unknown, 10.0.0.3'], '10.0.0.3'],
    ['a word alone counts for nothing', false, ['unknown'], '10.0.0.1'],
    ['with a port', false, ['198.51.100.7:4711'], '198.51.100.7'],
    ['IPv6', false, ['2001:DB8::7'], '2001:db8::7'],
    ['IPv6 with brackets and a port', false, ['[2001:db8::7]:4711'], '2001:db8::7'],
    ['IPv4 in IPv6', false, ['::ffff:198.51.100.7'], '198.51.100.7'],
    ['without a space', false, ['203.0.113.9,198.51.100.7'], '198.51.100.7'],
    ['a comma at the end', false, ['198.51.100.7,'], '198.51.100.7'],
  ] as const)('%s', ([, isRecursive, values, expected]) => {
    expect(trust(['10.0.0.0/8'], isRecursive).addressBehind('10.0.0.1', values)).toBe(expected);
  });
});
