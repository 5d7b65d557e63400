import { expect, test } from 'vitest';
import { servedRoute } from '#gateway/served-route.ts';
import { createSharedParts } from '#gateway/shared-parts.ts';
import type { RouteEntry } from '#table/route-entry.ts';

const route: Required<RouteEntry> = {
  kind: 'route',
  key: 'route:default/shop/0/0',
  name: 'default/shop',
  host: 'shop.example.com',
  path: { type: 'prefix', value: '/cart' },
  methods: ['GET'],
  headers: [{ name: 'x-beta', values: ['yes'] }],
  snis: ['shop.example.com'],
  regexPriority: 3,
  rank: '2026-01-01T00:00:00Z|default/shop|0000/0000',
  protocols: ['https'],
  httpsRedirectStatus: 308,
  service: 'service:default/shop/80',
  plugins: [{ type: 'key-auth', candidates: [{ key: 'plugin:KongPlugin/default/keys', scope: 'route' }] }],
  stripPath: true,
  preserveHost: false,
  pathHandling: 'v1',
  rewrite: '/basket',
  buffers: { request: true, response: false },
  maxBodyBytes: 1_000,
  admits: ['default'],
  blocked: 'its plugin is broken',
};

test('a route is served as its entry says, field by field', () => {
  expect(servedRoute(route, undefined, createSharedParts())).toEqual({
    ...route,
    pathType: 'prefix',
    pathText: '/cart',
    home: undefined,
  });
});

test('routes share what they have in common', () => {
  const parts = createSharedParts();
  const first = servedRoute(route, undefined, parts);
  const second = servedRoute(structuredClone({ ...route, key: 'route:default/shop/0/1' }), undefined, parts);
  expect(second.plugins).toBe(first.plugins);
  expect(second.admits).toBe(first.admits);
});
