import { expect, test } from 'vitest';
import { chooseByLatency, measureLatency } from '../../../src/gateway/balance-latency.ts';
import { newPeer } from '../../../src/gateway/peer.ts';

const peer = (host: string) => newPeer({ host, port: 80 });

test('the peer that answers sooner is next', () => {
  const slow = peer('slow');
  const fast = peer('fast');
  measureLatency(slow, 200, 1_000);
  measureLatency(fast, 20, 1_000);
  expect(chooseByLatency([slow, fast], 1_000)).toBe(fast);
});

test('one slow answer counts at once', () => {
  const one = peer('one');
  measureLatency(one, 10, 1_000);
  measureLatency(one, 500, 1_010);
  expect(one.latencyMs).toBe(500);
});

test('a fast answer counts by and by', () => {
  const one = peer('one');
  measureLatency(one, 500, 1_000);
  measureLatency(one, 10, 2_000);
  expect(one.latencyMs).toBeGreaterThan(400);
  measureLatency(one, 10, 60_000);
  expect(one.latencyMs).toBeLessThan(20);
});

test('what is under way makes a peer dearer', () => {
  const busy = peer('busy');
  const idle = peer('idle');
  measureLatency(busy, 20, 1_000);
  measureLatency(idle, 30, 1_000);
  busy.connections = 3;
  expect(chooseByLatency([busy, idle], 1_000)).toBe(idle);
});

test('a slow peer that nobody asked for long is tried again', () => {
  const slow = peer('slow');
  const fast = peer('fast');
  measureLatency(slow, 1_000, 1_000);
  measureLatency(fast, 20, 61_000);
  expect(chooseByLatency([slow, fast], 61_000)).toBe(slow);
});
