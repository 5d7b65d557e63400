/** Whatever stands in the annotations and the rules of an Ingress: it is translated, and a guard stays. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { annotations } from '#resources/annotations.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { RouteEntry } from '#table/route-entry.ts';
import { createEngine } from '#translate/engine.ts';
import { refOfAny } from '../../support/object-source.ts';

const names = Object.entries(annotations)
  .filter(([name, { on }]) => (on as readonly string[]).includes('Ingress') && !name.includes('class'))
  .map(([name]) => name.replace('<name>', 'x-any'));

const value = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'true',
    'false',
    'GET',
    'https',
    'http',
    'grpc',
    '/~',
    '/$1',
    '$9',
    '~*(a',
    'a.example',
    '*',
    '308',
    'v1',
    ',',
  ),
);

const ingress = fc
  .record({
    annotations: fc.dictionary(fc.constantFrom(...names), value),
    host: fc.option(fc.oneof(fc.string(), fc.constantFrom('a.example', '*.a.example', 'A.EXAMPLE.')), {
      nil: undefined,
    }),
    path: fc.option(
      fc.oneof(
        fc.string().map((text) => `/${text}`),
        fc.string(),
        fc.constant('/~/(a+)+$'),
      ),
      { nil: undefined },
    ),
    pathType: fc.constantFrom('Exact', 'Prefix', 'ImplementationSpecific', undefined),
  })
  .map(({ annotations: stated, host, path, pathType }): KubernetesObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'i', namespace: 'default', annotations: { ...stated, 'konghq.com/plugins': 'guard' } },
    spec: {
      ingressClassName: 'kong',
      rules: [
        { host, http: { paths: [{ path, pathType, backend: { service: { name: 's', port: { number: 80 } } } }] } },
      ],
    },
  }));

const guard: KubernetesObject = {
  apiVersion: 'configuration.konghq.com/v1',
  kind: 'KongPlugin',
  metadata: { name: 'guard', namespace: 'default' },
  plugin: 'key-auth',
};

const isClosed = ({ blocked, plugins }: RouteEntry): boolean =>
  blocked !== undefined || plugins.some(({ type }) => type === 'key-auth');

test('a route is guarded or closed, and nothing is a bug', () => {
  fc.assert(
    fc.property(ingress, (object) => {
      const engine = createEngine({ ingressClass: 'kong' });
      const { failures } = engine.apply(
        [guard, object].map((put) => ({ type: 'put', ref: refOfAny(put), object: put })),
      );
      expect(failures).toEqual([]);
      const routes = engine.entries().filter((entry) => entry.kind === 'route');
      expect(routes.filter((route) => !isClosed(route))).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

test('an annotation that narrows and cannot be read closes the routes', () => {
  const narrowing = ['methods', 'protocols', 'snis', 'host-aliases', 'headers.x-any', 'regex-prefix', 'rewrite'];
  for (const name of narrowing) {
    const object: KubernetesObject = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: {
        name: 'i',
        namespace: 'default',
        annotations: { [`konghq.com/${name}`]: name === 'headers.x-any' ? '~*(' : '(?' },
      },
      spec: {
        ingressClassName: 'kong',
        rules: [
          {
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }],
            },
          },
        ],
      },
    };
    const engine = createEngine({ ingressClass: 'kong' });
    engine.apply([{ type: 'put', ref: refOfAny(object), object }]);
    const blocked = engine.entries().filter((entry) => entry.kind === 'route' && entry.blocked !== undefined);
    expect([name, blocked.length]).toEqual([name, 1]);
  }
});
