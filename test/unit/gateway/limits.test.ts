/** Which limits hold. */
import { expect, test } from 'vitest';
import { limitsInForce } from '#gateway/limits.ts';
import type { LiveLimits } from '#table/limits-entry.ts';
import { proxySettings } from '../../support/proxy-settings.ts';

const { limits } = proxySettings(['--max-connections', '500']);

/** Limits by these flags, and how the ingress class states others. */
function inForce(most?: number) {
  let stated: Partial<LiveLimits> | undefined;
  const made = limitsInForce(limits, { limits: () => stated }, most);
  const state = (others: Partial<LiveLimits> | undefined): void => {
    stated = others;
    made.tableChanged();
  };
  return { made, state };
}

test('what the ingress class states stands before the flags, as long as it does', () => {
  const { made, state } = inForce();
  state({ connections: 700 });
  expect(made.now).toEqual({ ...limits, connections: 700 });
  state(undefined);
  expect(made.now).toEqual(limits);
});

test('neither gets more connections than there are files for', () => {
  const { made, state } = inForce(100);
  expect(made.now).toEqual({ ...limits, connections: 100 });
  state({ connections: 700 });
  expect(made.now.connections).toBe(100);
  state({ connections: 50 });
  expect(made.now.connections).toBe(50);
});
