import { expect, test } from 'vitest';
import { createRateLimit } from '#status/rate-limit.ts';

const takeAll = async (limit: ReturnType<typeof createRateLimit>, count: number): Promise<number> => {
  const startedAtMs = performance.now();
  await Promise.all(Array.from({ length: count }, async () => limit.take('urgent')));
  return performance.now() - startedAtMs;
};

test('a burst goes at once, what is beyond it at the rate', async () => {
  // One more than the burst would take a quarter of an hour.
  const slow = createRateLimit({ qps: 0.001, burst: 20 });
  await takeAll(slow, 20);
  slow.stop();
  const limit = createRateLimit({ qps: 100, burst: 20 });
  expect(await takeAll(limit, 30)).toBeGreaterThan(80);
  limit.stop();
});

test('the urgent go before the patient', async () => {
  const limit = createRateLimit({ qps: 100, burst: 1 });
  const order: string[] = [];
  const take = async (urgency: 'urgent' | 'patient'): Promise<void> => {
    await limit.take(urgency);
    order.push(urgency);
  };
  await Promise.all([take('patient'), take('patient'), take('urgent'), take('urgent')]);
  expect(order).toEqual(['patient', 'urgent', 'urgent', 'patient']);
  limit.stop();
});

test('a pause holds everybody up', async () => {
  const limit = createRateLimit({ qps: 1000, burst: 10 });
  limit.pause(100);
  expect(await takeAll(limit, 1)).toBeGreaterThanOrEqual(99);
  limit.stop();
});

test('stopping lets everybody go, also who comes later', async () => {
  const limit = createRateLimit({ qps: 0.001, burst: 1 });
  const all = takeAll(limit, 5);
  limit.stop();
  await all;
  await limit.take('patient');
});
