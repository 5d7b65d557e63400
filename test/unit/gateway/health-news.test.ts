import { expect, test } from 'vitest';
import { createHealthNews } from '../../../src/gateway/health-news.ts';
import type { ToWorker } from '../../../src/gateway/messages.ts';

/** Three workers by name, and what each was sent. */
function news() {
  const sent: [string, ToWorker][] = [];
  const passing = createHealthNews(['prober', 'second', 'third'], (worker, message) => sent.push([worker, message]));
  return { ...passing, take: () => sent.splice(0) };
}

const health = { service: 'service:default/shop/80', out: ['a 80'], back: ['b 80'] };

test('what probes find goes to the workers that do not probe', () => {
  const { pass, take } = news();
  pass({ type: 'health', health });
  expect(take()).toEqual([
    ['second', { type: 'health', health }],
    ['third', { type: 'health', health }],
  ]);
});

test('what requests find goes to the worker that probes', () => {
  const { pass, take } = news();
  const suspect = { service: 'service:default/shop/80', target: 'a 80' };
  pass({ type: 'suspect', suspect });
  expect(take()).toEqual([['prober', { type: 'suspect', suspect }]]);
});

test('a worker that starts is told who is out, until nobody is', () => {
  const { pass, tell, take } = news();
  pass({ type: 'health', health });
  take();
  tell('prober');
  expect(take()).toEqual([['prober', { type: 'health', health: { ...health, back: [] } }]]);
  pass({ type: 'health', health: { ...health, out: [] } });
  take();
  tell('prober');
  expect(take()).toEqual([]);
});
