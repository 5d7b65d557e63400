import { describe, expect, test } from 'vitest';
import { httpsRedirect } from '#gateway/https-redirect.ts';
import type { RouteEntry } from '#table/route-entry.ts';

/** What comes of a request for a route of https alone that redirects. */
function answered(scheme: 'http' | 'https', isPeerTrusted: boolean, told: Readonly<Record<string, string>>) {
  const route = { protocols: ['https'], httpsRedirectStatus: 301 } as const satisfies Partial<RouteEntry>;
  const guarded = {
    path: '/b',
    otherReading: undefined,
    rawPath: '/a/../b',
    query: 'q',
    hasQuery: true,
    authority: 'a:8000',
    host: 'a',
  };
  const headerValues = (name: string): string[] => [told[name] ?? []].flat();
  const answer = httpsRedirect(route as unknown as RouteEntry, { scheme, guarded, isPeerTrusted, headerValues });
  return answer === undefined ? 'served' : `${answer.status} ${answer.headers?.[0]?.[1] ?? ''}`;
}

describe('a route of https alone', () => {
  const byHttps = { 'x-forwarded-proto': 'https' };
  test.for([
    ['http', false, {}, '301 https://a/a/../b?q'],
    ['https', false, {}, 'served'],
    ['http', false, byHttps, '301 https://a/a/../b?q'],
    ['http', true, byHttps, 'served'],
    ['http', true, { 'x-forwarded-proto': 'http' }, '301 https://a/a/../b?q'],
    ['http', true, { 'x-forwarded-host': 'shop.example' }, '301 https://shop.example/a/../b?q'],
    ['http', false, { 'x-forwarded-host': 'evil' }, '301 https://a/a/../b?q'],
    ['http', true, { 'x-forwarded-host': 'evil/x\r\n' }, '301 https://a/a/../b?q'],
  ] as const)('over %s, from a trusted peer: %s, which says %s: %s', ([scheme, isTrusted, told, expected]) => {
    expect(answered(scheme, isTrusted, told)).toBe(expected);
  });
});
