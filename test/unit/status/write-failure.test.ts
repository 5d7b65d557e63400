import { expect, test } from 'vitest';
import { ApiError } from '#resources/api-error.ts';
import { failureOf, NotLeading } from '#status/write-failure.ts';

const forbidden =
  'kongplugins.configuration.konghq.com "x" is forbidden: User "system:serviceaccount:a:b" cannot patch resource ' +
  '"kongplugins/status" in API group "configuration.konghq.com" in the namespace "a"';
const terminating =
  'events "x" is forbidden: unable to create new content in namespace a because it is being terminated';

test.for<[string, unknown, ReturnType<typeof failureOf>]>([
  ['the object is gone', new ApiError(404, 'NotFound', 'not found'), { retry: 'never' }],
  ['another leads', new NotLeading(), { retry: 'never' }],
  ['its namespace is being deleted', new ApiError(403, 'Forbidden', terminating), { retry: 'never' }],
  ['somebody else wrote', new ApiError(409, 'Conflict', 'modified'), { retry: 'soon' }],
  ['no API server', new Error('connect ECONNREFUSED'), { retry: 'soon' }],
  ['too many requests', new ApiError(429, 'TooManyRequests', 'busy', 3), { retry: 'soon', pauseMs: 3000 }],
  ['an internal error', new ApiError(500, 'InternalError', 'oops'), { retry: 'soon' }],
])('%s', ([, error, failure]) => {
  expect(failureOf(error)).toEqual(failure);
});

test('a missing grant is told with what to grant, and tried rarely', () => {
  expect(failureOf(new ApiError(403, 'Forbidden', forbidden))).toEqual({
    retry: 'rarely',
    tell:
      'may not patch kongplugins/status: grant the verb patch on kongplugins/status of API group ' +
      '"configuration.konghq.com" to the ServiceAccount',
  });
});

test.for([400, 413, 422])('what is refused with %d is told and not tried again', (status) => {
  expect(failureOf(new ApiError(status, 'Invalid', 'must not'))).toMatchObject({
    retry: 'never',
    tell: expect.stringContaining('must not') as string,
  });
});

test('an object that server-side apply cannot read is told and not tried again', () => {
  const message =
    'failed to create typed live object (a/x; configuration.konghq.com/v1, Kind=KongPlugin): ' +
    '.disabled: expected boolean, got &{perhaps}';
  expect(failureOf(new ApiError(500, '', message))).toMatchObject({
    retry: 'never',
    tell: expect.stringContaining('.disabled: expected boolean') as string,
  });
});
