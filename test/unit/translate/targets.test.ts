/** Which endpoints get requests, whatever slices they stand in and in whatever order these come. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { createEngine } from '#translate/engine.ts';
import { refOfAny } from '../../support/object-source.ts';

interface Endpoint {
  readonly host: number;
  readonly ready: boolean | null | undefined;
  readonly serving: boolean | null | undefined;
  readonly terminating: boolean | null | undefined;
}

const web: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { ports: [{ port: 80 }] },
};

const sliceOf = (name: string, addressType: string, endpoints: readonly object[]): KubernetesObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType,
  endpoints,
  ports: [{ port: 8080 }],
});

function hostsOf(objects: readonly KubernetesObject[]): string[] {
  const engine = createEngine({ ingressClass: 'kong' });
  engine.apply(objects.map((object) => ({ type: 'put', ref: refOfAny(object), object })));
  return engine
    .entries()
    .flatMap((entry) => (entry.kind === 'service' ? entry.targets.map((target) => target.host) : []));
}

test('both families of a dual-stack Service get requests', () => {
  const objects = [
    web,
    sliceOf('web-6', 'IPv6', [{ addresses: ['2001:db8::1'] }]),
    sliceOf('web-4', 'IPv4', [{ addresses: ['192.0.2.1', '192.0.2.2'] }]),
  ];
  expect(hostsOf(objects)).toEqual(['192.0.2.1', '2001:db8::1']);
});

test('an endpoint of a slice of names is a name', () => {
  const engine = createEngine({ ingressClass: 'kong' });
  const objects = [web, sliceOf('web-n', 'FQDN', [{ addresses: ['a.example.com'] }])];
  engine.apply(objects.map((object) => ({ type: 'put', ref: refOfAny(object), object })));
  expect(engine.entries()).toMatchObject([{ targets: [{ host: 'a.example.com', port: 8080, isName: true }] }]);
});

const state = fc.constantFrom(true, false, null, undefined);

const anyEndpoint: fc.Arbitrary<Endpoint> = fc.record({
  host: fc.integer({ min: 1, max: 5 }),
  ready: state,
  serving: state,
  terminating: state,
});

/** The rules of Kubernetes said another way: unknown is ready, unknown is serving, unknown is staying. */
function expected(endpoints: readonly Endpoint[]): string[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready !== false);
  const leaving = endpoints.filter((endpoint) => endpoint.terminating === true && endpoint.serving !== false);
  const hosts = (ready.length > 0 ? ready : leaving).map((endpoint) => `192.0.2.${endpoint.host}`);
  return [...new Set(hosts)].sort();
}

test('slices in any number and order come to the same endpoints', () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyEndpoint, { maxLength: 4 }), { maxLength: 4 }), (slices) => {
      const objects = slices.map((endpoints, i) =>
        sliceOf(
          `web-${i}`,
          'IPv4',
          endpoints.map(({ host, ...conditions }) => ({ addresses: [`192.0.2.${host}`], conditions })),
        ),
      );
      const hosts = hostsOf([web, ...objects]);
      expect(hosts).toEqual(expected(slices.flat()));
      expect(hostsOf([...objects.toReversed(), web])).toEqual(hosts);
    }),
  );
});
