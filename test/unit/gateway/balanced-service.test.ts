import { describe, expect, test } from 'vitest';
import type { ServiceEntry } from '#table/service-entry.ts';
import type { UpstreamPolicy } from '#table/upstream-policy.ts';
import { createBalancedService, type Choice } from '../../../src/gateway/balanced-service.ts';
import type { ProxyExchange } from '../../../src/gateway/exchange.ts';

const passive = {
  healthyStatuses: [200],
  successes: 0,
  unhealthyStatuses: [500],
  httpFailures: 2,
  tcpFailures: 1,
  timeouts: 0,
};

/** A service at some hosts, and a clock that the test moves. */
function balanced(changes: Partial<UpstreamPolicy> = {}) {
  let policy: UpstreamPolicy = {
    algorithm: 'round-robin',
    slots: 100,
    hashOn: [],
    threshold: 0,
    passive,
    ...changes,
  };
  const clock = { nowMs: 1_000, now: () => clock.nowMs };
  const suspects: string[] = [];
  const service = createBalancedService(clock, (_, target) => suspects.push(target));
  let entry: ServiceEntry;
  const at = (...hosts: readonly string[]): void => {
    entry = {
      kind: 'service',
      key: 'service:default/shop/80',
      targets: hosts.map((host) => ({ host, port: 80 })),
      policy,
      path: '/',
      retries: 5,
      connectTimeoutMs: 1,
      writeTimeoutMs: 1,
      readTimeoutMs: 1,
    };
  };
  const choose = (before?: Choice): Choice | undefined => service.choose(entry, policy, {} as ProxyExchange, before);
  const follow = (changed: UpstreamPolicy, ...hosts: readonly string[]): void => {
    policy = changed;
    at(...hosts);
  };
  at('a', 'b');
  const host = (): string | undefined => choose()?.target.host;
  /** The hosts of so many requests, by name. */
  const hosts = (count: number): string =>
    Array.from({ length: count }, host)
      .sort((one = '', other = '') => one.localeCompare(other))
      .join(' ');
  return { service, clock, suspects, policy, at, follow, choose, host, hosts };
}

/** Fails the requests to a host until it is shut out. */
function fail({ choose }: ReturnType<typeof balanced>, host: string): void {
  for (let i = 0; i < 4; i += 1) {
    const choice = choose();
    if (choice?.target.host === host) choice.observed('connect');
  }
}

/** How many of a hundred requests reach a host. */
const percentOf = ({ hosts }: ReturnType<typeof balanced>, host: string): number =>
  hosts(100)
    .split(' ')
    .filter((one) => one === host).length;

describe('slow start', () => {
  const slowStartMs = 10_000;

  test('a target that comes gets a tenth of its share, and then more', () => {
    const shop = balanced({ slowStartMs });
    expect(percentOf(shop, 'a')).toBe(50);
    shop.at('a', 'b', 'c');
    expect(percentOf(shop, 'c')).toBeCloseTo((100 * 0.1) / 2.1, -1);
    shop.clock.nowMs += 5_000;
    expect(percentOf(shop, 'c')).toBeCloseTo((100 * 0.55) / 2.55, -1);
    shop.clock.nowMs += 5_000;
    expect(percentOf(shop, 'c')).toBeCloseTo(33, -1);
  });

  test('without it a target that comes gets all of it at once', () => {
    const shop = balanced();
    expect(percentOf(shop, 'a')).toBe(50);
    shop.at('a', 'b', 'c');
    expect(percentOf(shop, 'c')).toBeGreaterThanOrEqual(33);
  });

  test('where it is taken away, so is what was held back', () => {
    const shop = balanced({ slowStartMs });
    shop.host();
    shop.at('a', 'b', 'c');
    expect(percentOf(shop, 'c')).toBeLessThan(7);
    const { slowStartMs: _, ...atOnce } = shop.policy;
    shop.follow(atOnce, 'a', 'b', 'c');
    expect(percentOf(shop, 'c')).toBeCloseTo(33, -1);
  });

  test('one that requests had found unhealthy starts slowly once it is tried again', () => {
    const shop = balanced({ slowStartMs });
    fail(shop, 'a');
    shop.clock.nowMs += 30_000;
    expect(percentOf(shop, 'a')).toBeLessThan(12);
    shop.clock.nowMs += slowStartMs;
    expect(percentOf(shop, 'a')).toBe(50);
  });

  test('one that probes had found unhealthy starts slowly once they find it healthy', () => {
    const shop = balanced({ slowStartMs });
    shop.host();
    shop.service.probed(new Set(['a 80']), new Set());
    expect(percentOf(shop, 'a')).toBe(0);
    shop.clock.nowMs += 60_000;
    shop.service.probed(new Set(), new Set(['a 80']));
    expect(percentOf(shop, 'a')).toBeLessThan(12);
    shop.service.probed(new Set(), new Set(['a 80']));
    shop.clock.nowMs += slowStartMs;
    expect(percentOf(shop, 'a')).toBe(50);
  });

  test('with least-connections it holds a tenth of what the others hold', () => {
    const shop = balanced({ slowStartMs, algorithm: 'least-connections' });
    shop.host();
    shop.at('a', 'b', 'c');
    expect(percentOf(shop, 'c')).toBeLessThan(7);
  });
});

describe('passive checks', () => {
  test('a target that fails gets nothing for 30 seconds', () => {
    const shop = balanced();
    fail(shop, 'a');
    expect(shop.suspects).toEqual(['a 80']);
    expect([shop.host(), shop.host(), shop.host()]).toEqual(['b', 'b', 'b']);
    shop.clock.nowMs += 29_999;
    expect([shop.host(), shop.host()]).toEqual(['b', 'b']);
    shop.clock.nowMs += 1;
    expect(shop.hosts(2)).toBe('a b');
  });

  test('one more failure is enough on trial', () => {
    const shop = balanced({ passive: { ...passive, tcpFailures: 0 } });
    shop.at('a');
    shop.choose()?.observed(500);
    expect(shop.host()).toBe('a');
    shop.choose()?.observed(500);
    expect(shop.host()).toBeUndefined();
    shop.clock.nowMs += 30_000;
    shop.choose()?.observed(500);
    expect(shop.host()).toBeUndefined();
  });

  test('a success on trial forgets the past', () => {
    const shop = balanced();
    shop.at('a');
    for (const status of [500, 500]) shop.choose()?.observed(status);
    shop.clock.nowMs += 30_000;
    for (const status of [200, 500]) shop.choose()?.observed(status);
    expect(shop.host()).toBe('a');
  });

  test('what is known of a target outlives a change of the others', () => {
    const shop = balanced();
    fail(shop, 'a');
    shop.at('a', 'b', 'c');
    expect(shop.hosts(4)).toBe('b b c c');
  });

  test('a target that went and came back is a new one', () => {
    const shop = balanced();
    fail(shop, 'a');
    shop.at('b');
    expect(shop.host()).toBe('b');
    shop.at('a', 'b');
    expect(shop.hosts(2)).toBe('a b');
  });
});

describe('what probes find', () => {
  test('a target that is out gets nothing, one that came back does, whatever requests found', () => {
    const shop = balanced();
    fail(shop, 'a');
    shop.service.probed(new Set(['a 80']), new Set());
    shop.clock.nowMs += 60_000;
    expect([shop.host(), shop.host()]).toEqual(['b', 'b']);
    shop.service.probed(new Set(), new Set(['a 80']));
    expect(shop.hosts(2)).toBe('a b');
  });

  test('it is known before the first request', () => {
    const shop = balanced();
    shop.service.probed(new Set(['a 80', 'b 80']), new Set());
    expect(shop.choose()).toBeUndefined();
  });
});

describe('attempts', () => {
  test('a further one goes to a target that was not tried', () => {
    const shop = balanced({ passive: { ...passive, tcpFailures: 0 } });
    const first = shop.choose();
    const second = shop.choose(first);
    const third = shop.choose(second);
    expect(new Set([first?.target.host, second?.target.host])).toEqual(new Set(['a', 'b']));
    expect(third).toBeDefined();
  });

  test('a released one counts no more, however often it is released', () => {
    const shop = balanced({ algorithm: 'least-connections' });
    const first = shop.choose();
    for (let i = 0; i < 5; i += 1) first?.release();
    // Counted down five times, it would get all of the next three.
    expect(['a a b', 'a b b']).toContain(shop.hosts(3));
  });

  test('one that ends after the service changed is still counted', () => {
    const shop = balanced({ algorithm: 'least-connections' });
    shop.at('a');
    const first = shop.choose();
    shop.at('a', 'b');
    expect(shop.host()).toBe('b');
    first?.release();
    expect(shop.host()).toBe('a');
  });
});

test('below the threshold there is no target', () => {
  const shop = balanced({ threshold: 51 });
  expect(shop.host()).toBeDefined();
  shop.service.probed(new Set(['a 80']), new Set());
  expect(shop.host()).toBeUndefined();
});
