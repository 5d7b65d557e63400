/** What is served in the soak: half of it stays, half of it moves. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePair, tlsSecret } from '../../test/support/certificates.ts';
import { consumer, guardedIngress, keyAuthPlugin, keySecret, localService, toYaml } from '../manifests.ts';
import { moving, type Moving } from './moving.ts';

/** Consumers, routes and Services that stay; the Services' endpoints move. */
export const stayers = 20;
/** Consumers whose key moves, and as many routes that come and go. */
export const movers = 100;

export const certificateRef = 'default/certificate';
export const socketPath = '/socket';
export const stayingKey = (i: number): string => `staying-key-${i}`;
export const movingKey = (i: number): string => `moving-key-${i}`;

const serviceName = (i: number): string => `upstream-${i % stayers}`;
const numbers = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

export interface World {
  /** By its number: `movingKey` is a key of it, or another is. */
  readonly consumers: readonly Moving[];
  /** By its number: it is there, or not. */
  readonly routes: readonly Moving[];
  /** By its number: it has both endpoints, or the steady one alone. */
  readonly services: readonly Moving[];
  /** The certificate is this one, or that. */
  readonly certificate: Moving;
  /** Both certificates, by version. */
  readonly certificates: readonly [string, string];
}

const movingConsumer = (i: number): Moving => {
  const version = (key: string): string => toYaml([consumer(`moving-${i}`), keySecret(`moving-${i}`, key)]);
  return moving(`consumer-${i}.yaml`, [version(movingKey(i)), version(`other-key-${i}`)]);
};

const movingRoute = (i: number): Moving =>
  moving(`route-${i}.yaml`, [toYaml([guardedIngress(`moving-${i}`, `/moving-${i}`, serviceName(i))]), '']);

function staying(steadyPort: number): string {
  const each = numbers(stayers).flatMap((i) => [
    guardedIngress(`staying-${i}`, `/staying-${i}`, serviceName(i)),
    consumer(`staying-${i}`),
    keySecret(`staying-${i}`, stayingKey(i)),
  ]);
  const socket = [...localService('socket', [steadyPort]), guardedIngress('socket', socketPath, 'socket')];
  return toYaml([keyAuthPlugin(), ...socket, ...each]);
}

/** Writes everything in its first version. */
export async function writeWorld(dir: string, ports: { steady: number; mortal: number }): Promise<World> {
  const pairs = [makePair({ names: ['localhost'] }), makePair({ names: ['localhost'] })] as const;
  const [first, second] = pairs.map((pair) => toYaml([tlsSecret('certificate', pair)]));
  const world: World = {
    consumers: numbers(movers).map(movingConsumer),
    routes: numbers(movers).map(movingRoute),
    services: numbers(stayers).map((i) => {
      const version = (...some: readonly number[]): string => toYaml(localService(serviceName(i), some));
      return moving(`service-${i}.yaml`, [version(ports.steady, ports.mortal), version(ports.steady)]);
    }),
    certificate: moving('certificate.yaml', [first ?? '', second ?? '']),
    certificates: [pairs[0].certificate, pairs[1].certificate],
  };
  await writeFile(join(dir, 'staying.yaml'), staying(ports.steady));
  for (const { file, versions } of editsOf(world)) await writeFile(join(dir, file), versions[0]);
  return world;
}

/** The files in the order in which they are turned, again and again: a key, a route and endpoints by turns. */
export function editsOf({ consumers, routes, services, certificate }: World): Moving[] {
  const turns = numbers(movers).flatMap((i) => [consumers[i], routes[i], services[i % stayers]]);
  return [certificate, ...turns.filter((item) => item !== undefined)];
}
