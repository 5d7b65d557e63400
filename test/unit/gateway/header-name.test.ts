import { expect, test } from 'vitest';
import { lowerName } from '#gateway/header-name.ts';

test.each([
  'Host',
  'host',
  'HOST',
  'Date',
  'Via',
  'Server',
  'Trailer',
  'Connection',
  'connection',
  'Keep-Alive',
  'Content-Length',
  'CONTENT-LENGTH',
  'Content-Length'.repeat(3),
  'X-Request-Id',
  '',
])('%j is lowered as JavaScript does it', (name) => {
  expect(lowerName(name)).toBe(name.toLowerCase());
});
