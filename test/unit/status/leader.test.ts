import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ApiError } from '#resources/api-error.ts';
import type { ApiRequest, KubernetesApi } from '#source/kubernetes-api.ts';
import { createLeader } from '#status/leader.ts';
import { silent } from '../../support/silent.ts';
import { until } from '../../support/until.ts';

/** Between two renewals is a twentieth of what they have: on a busy machine too one is under way as leading ends. */
const timing = { leaseMs: 3_000, renewDeadlineMs: 2_000, renewMs: 100, lookMs: 100 };

/** Answers a renewal, the first that it lets through, in the very moment in which leading ends by the clock. */
function answersAsItEnds(whenItEnds: () => void): KubernetesApi & { readonly renewals: number } {
  let begunAtMs = 0;
  let renewals = 0;
  return {
    get renewals() {
      return renewals;
    },
    async request<T>({ method, body }: ApiRequest): Promise<T> {
      if (method === 'GET') throw new ApiError(404, 'NotFound', 'not found');
      if (method === 'POST') begunAtMs = performance.now();
      else if (performance.now() < begunAtMs + 300) throw new Error('busy');
      else if ((renewals += 1) === 1) {
        // As a process that is suspended: no timer can run, and the answer is there when it goes on.
        while (performance.now() < begunAtMs + timing.renewDeadlineMs + 2);
        whenItEnds();
        await nextTurn();
      }
      return { ...(body as object), metadata: { resourceVersion: String(performance.now()) } } as T;
    },
  };
}

test('a renewal that is answered too late, before the clock was looked at, is a new beginning', async () => {
  const changes: string[] = [];
  const listeners = new Set<() => void>();
  const note = (what: string): void => {
    changes.push(what);
    for (const listener of listeners) listener();
  };
  const api = answersAsItEnds(() => note(leader.leads ? 'still leads' : 'writes nothing'));
  const leader = createLeader({
    ...(await silent()),
    api,
    timing,
    election: { id: 'latchkey', namespace: 'default' },
    identity: 'pod-1',
    gained: () => note('gained'),
    lost: () => note('lost'),
  });
  leader.start();
  await until({
    what: 'it leads again',
    holds: () => changes.length >= 4,
    subscribe(check) {
      listeners.add(check);
      return () => listeners.delete(check);
    },
  });
  expect(changes).toEqual(['gained', 'writes nothing', 'lost', 'gained']);
  expect(api.renewals).toBe(1);
  await leader.stop();
});
