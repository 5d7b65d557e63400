import { expect, test } from 'vitest';
import { newRequestId } from '#gateway/request-id.ts';

test('ids have 32 hexadecimal digits, and none is given twice', () => {
  const ids = Array.from({ length: 2_000 }, newRequestId);
  expect(ids.filter((id) => !/^[0-9a-f]{32}$/.test(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});
