import { expect, test } from 'vitest';
import { noCounts, observe, type Observed } from '../../../src/gateway/health.ts';

const thresholds = {
  healthyStatuses: [200],
  successes: 2,
  unhealthyStatuses: [500],
  httpFailures: 3,
  tcpFailures: 2,
  timeouts: 1,
};

/** What follows from the last of some observations. */
function last(observed: readonly Observed[], changes: Partial<typeof thresholds> = {}) {
  const counts = noCounts();
  return observed.map((one) => observe(counts, one, { ...thresholds, ...changes })).at(-1);
}

test.for<[string, Observed[], Partial<typeof thresholds>, 'healthy' | 'unhealthy' | undefined]>([
  ['fewer failures than the threshold', [500, 500], {}, undefined],
  ['as many failures as the threshold', [500, 500, 500], {}, 'unhealthy'],
  ['refused connections', ['connect', 'connect'], {}, 'unhealthy'],
  ['a connection that was closed is a failed one', ['closed', 'connect'], {}, 'unhealthy'],
  ['requests that were refused by who is there', ['refused', 'refused'], {}, undefined],
  ['a timeout', ['timeout'], {}, 'unhealthy'],
  ['a connection that does not come about in time', ['connect-timeout'], {}, 'unhealthy'],
  ['failures of several kinds do not add up', [500, 500, 'connect'], {}, undefined],
  ['a success forgets the failures', [500, 500, 200, 500], {}, undefined],
  ['a status of neither list counts for nothing', [500, 500, 404, 500], {}, 'unhealthy'],
  ['as many successes as the threshold', [200, 200], {}, 'healthy'],
  ['a failure forgets the successes', [200, 500, 200], {}, undefined],
  ['a threshold of 0 never makes unhealthy', ['timeout', 'timeout', 'timeout'], { timeouts: 0 }, undefined],
  ['a threshold of 0 never makes healthy', [200, 200, 200], { successes: 0 }, undefined],
  ['counting starts over after a change', [500, 500, 500, 500], {}, undefined],
])('%s', ([, observed, changes, expected]) => {
  expect(last(observed, changes)).toBe(expected);
});
