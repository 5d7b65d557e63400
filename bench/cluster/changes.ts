/** The changes of the part `propagation`: each is one write, and says which requests show that it is in force. */
import { keySecret } from '../manifests.ts';
import type { Stage } from './stage.ts';
import type { Sight } from './worker-connections.ts';
import {
  consumerName,
  firstSight,
  ingressRef,
  ingressesPerService,
  keyOf,
  pathOf,
  pluginRef,
  secretRef,
  serviceOf,
  sliceRef,
  type WorldSize,
} from './world.ts';

export interface ClusterChange {
  readonly kind: string;
  /** Resolves with the API server's answer: from then on the time counts. */
  write(): Promise<unknown>;
  /** All hold once the change is in force; before it at least one does not. */
  readonly sights: readonly Sight[];
}

/** Both of a pair that undo each other. */
const isSecond = (n: number): boolean => n % 2 === 1;

function keyChanges({ writes }: Stage, n: number, { consumers }: WorldSize): ClusterChange[] {
  const i = 1 + (n % (consumers - 1));
  const with_ = (status: number): Sight[] => [{ path: firstSight.path, key: keyOf(i), status }];
  return [
    { kind: 'key deleted', write: async () => writes.remove(secretRef(i)), sights: with_(401) },
    {
      kind: 'key added',
      write: async () => writes.create(keySecret(consumerName(i), keyOf(i))),
      sights: with_(200),
    },
  ];
}

/** The plugin guards all routes: all of them are concerned. */
function pluginChange({ writes }: Stage, n: number, { ingresses }: WorldSize): ClusterChange {
  return {
    kind: `plugin toggled (on ${ingresses} routes)`,
    write: async () => writes.patch(pluginRef, { disabled: !isSecond(n) }),
    sights: [{ path: firstSight.path, status: isSecond(n) ? 401 : 200 }],
  };
}

/** Routes of odd numbers move there and back; those of even numbers stay, so that they can be asked. */
function pathChange({ writes }: Stage, n: number, { ingresses }: WorldSize): ClusterChange {
  const odd = Math.floor(ingresses / 2);
  const i = 2 * (n % odd) + 1;
  const places = [pathOf(i), `/moved-${i}`];
  const [from = '', to = ''] = isSecond(Math.floor(n / odd)) ? places.reverse() : places;
  const backend = { service: { name: serviceOf(i), port: { number: 80 } } };
  const rules = [{ http: { paths: [{ path: to, pathType: 'Prefix', backend }] } }];
  return {
    kind: 'Ingress path changed',
    write: async () => writes.patch(ingressRef(i), { spec: { rules } }),
    sights: [
      { path: to, key: keyOf(0), status: 200 },
      { path: from, key: keyOf(0), status: 404 },
    ],
  };
}

function endpointChange({ writes, pods }: Stage, n: number, { ingresses }: WorldSize): ClusterChange {
  const services = Math.ceil(ingresses / ingressesPerService);
  const s = n % services;
  const pod = pods.addresses[(Math.floor(n / services) + 1) % pods.addresses.length] ?? '';
  return {
    kind: 'endpoint replaced',
    write: async () => writes.patch(sliceRef(s), { endpoints: [{ addresses: [pod] }] }),
    sights: [{ path: pathOf(s * ingressesPerService), key: keyOf(0), status: 200, pod }],
  };
}

/**
 * As many changes of each kind as asked for, the kinds in turn. While the plugin is off no key matters, so it is
 * switched off after the keys of one round and on before those of the next.
 */
export function changesOf(stage: Stage, size: WorldSize, ofEach: number): ClusterChange[] {
  return Array.from({ length: ofEach }, (_, n) => {
    const others = [...keyChanges(stage, n, size), pathChange(stage, n, size), endpointChange(stage, n, size)];
    const plugin = pluginChange(stage, n, size);
    return isSecond(n) ? [plugin, ...others] : [...others, plugin];
  }).flat();
}
