import { expect, test } from 'vitest';
import { createTraffic } from '#gateway/traffic.ts';
import { mostRoutes, type RouteFigures } from '#telemetry/traffic-figures.ts';
import type { ConsumerIdentity } from '#table/consumer-identity.ts';
import type { RouteEntry } from '#table/route-entry.ts';

const routeNamed = (name: string): RouteEntry => ({
  kind: 'route',
  key: `route:${name}/0/0`,
  name,
  host: '',
  path: { type: 'prefix', value: '/' },
  rank: name,
  service: 'service:default/shop/80',
  plugins: [],
  stripPath: false,
  preserveHost: true,
});

const consumerNamed = (username: string): ConsumerIdentity => ({
  id: `id of ${username}`,
  namespace: 'default',
  username,
});

const figures = { requestMs: 30, upstreamMs: 26, gatewayMs: 4, ingressBytes: 1, egressBytes: 100 } as const;
const namesOf = (routes: readonly RouteFigures[]): string[] => routes.map(({ route }) => route);

test('what was counted is told once', () => {
  const traffic = createTraffic({ isPerConsumer: false });
  const shop = routeNamed('default/shop');
  traffic.of(shop, undefined).attempted('key-auth', 'granted');
  traffic.of(shop, undefined).answered('service', 200, figures);
  traffic.of(shop, consumerNamed('anna')).answered('service', 200, figures);
  traffic.of(shop, undefined).answered('exit', 401, { ...figures, upstreamMs: undefined });
  traffic.of(shop, undefined).failed('connect');
  traffic.of(shop, undefined).retried();
  traffic.of(undefined, undefined).answered('exit', 404, { ...figures, upstreamMs: undefined });

  const { routes } = structuredClone(traffic.take());
  expect(routes).toMatchObject([
    {
      route: 'default/shop',
      service: 'default/shop/80',
      consumer: '',
      answers: [
        ['service', 200, 2],
        ['exit', 401, 1],
      ],
      attempts: [['key-auth', 'granted', 1]],
      failures: [['connect', 1]],
      retries: 1,
      ingressBytes: 3,
      egressBytes: 300,
      requestMs: { counts: [0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], sumMs: 90 },
      upstreamMs: { counts: [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], sumMs: 52 },
      gatewayMs: { sumMs: 12 },
    },
    { route: '', service: '', answers: [['exit', 404, 1]] },
  ]);
  expect(traffic.take().routes).toEqual([]);
});

test.for([false, true])(
  'of many routes some are told as others, and may be told apart the next time',
  (isPerConsumer) => {
    const traffic = createTraffic({ isPerConsumer });
    const routes = Array.from({ length: mostRoutes + 2 }, (_, i) => routeNamed(`default/shop-${i}`));
    for (const route of routes) traffic.of(route, undefined).retried();
    const told = traffic.take().routes;
    expect(namesOf(told)).toEqual([...namesOf(told).slice(0, mostRoutes), 'other']);
    expect(told.at(-1)).toMatchObject({ retries: 2 });
    traffic.of(routes.at(-1), undefined).retried();
    expect(namesOf(traffic.take().routes)).toEqual([`default/shop-${mostRoutes + 1}`]);
  },
);

test('of many consumers of a route some are told as others, at any time', () => {
  const traffic = createTraffic({ isPerConsumer: true });
  const shop = routeNamed('default/shop');
  const names = Array.from({ length: 1_000 }, (_, i) => `consumer-${i}`);
  for (const name of names) traffic.of(shop, consumerNamed(name)).retried();
  expect(traffic.take().routes.map(({ consumer }) => consumer)).toEqual(names);
  traffic.of(shop, consumerNamed('one-more')).retried();
  traffic.of(shop, consumerNamed('consumer-7')).retried();
  expect(traffic.take().routes.map(({ consumer }) => consumer)).toEqual(['other', 'consumer-7']);
});
