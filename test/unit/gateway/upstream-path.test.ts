import { expect, test } from 'vitest';
import { rawUpstreamPath, upstreamPath } from '#gateway/upstream-path.ts';

/** Rows of kong-facts 2.6, path handling v0: service path, route path, strip, request, result. */
test.for([
  ['/', '/route', false, '/routereq', '/routereq'],
  ['/', '/route', true, '/route', '/'],
  ['/', '/route', true, '/route/', '/'],
  ['/', '/route', true, '/routereq', '/req'],
  ['/srv', '/rou', false, '/roureq', '/srv/roureq'],
  ['/srv', '/rou', true, '/roureq', '/srv/req'],
  ['/srv/', '/rou', true, '/rou', '/srv'],
  ['/service', '/route', true, '/route/', '/service/'],
  ['/service', '/route/', true, '/route/', '/service/'],
  ['/service/', '/', true, '/', '/service/'],
  ['/service/', '/', false, '/', '/service/'],
  ['/service', '', false, '/route', '/service/route'],
  ['/service', '/route', true, '/route../req', '/service/req'],
] as const)('service %s, route %s, strip %s: %s → %s', ([service, route, strip, request, expected]) => {
  expect(upstreamPath(service, request, strip ? route.length : 0)).toBe(expected);
});

/** The same rows in path handling v1. */
test.for([
  ['/', '/route', false, '/routereq', '/routereq'],
  ['/', '/route', true, '/route', '/'],
  ['/', '/route', true, '/route/', '/'],
  ['/', '/route', true, '/routereq', '/req'],
  ['/srv', '/rou', false, '/roureq', '/srvroureq'],
  ['/srv', '/rou', true, '/roureq', '/srvreq'],
  ['/srv/', '/rou', true, '/rou', '/srv/'],
  ['/service', '/route', true, '/route/', '/service/'],
  ['/service', '/route/', true, '/route/', '/service'],
  ['/service/', '/', true, '/', '/service/'],
  ['/service/', '/', false, '/', '/service/'],
  ['/service', '', false, '/route', '/serviceroute'],
  ['/service', '/route', true, '/route../req', '/servicereq'],
] as const)('v1: service %s, route %s, strip %s: %s → %s', ([service, route, strip, request, expected]) => {
  expect(rawUpstreamPath(service, request, strip ? route.length : 0)).toBe(expected);
});
