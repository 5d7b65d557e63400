import { findProgram } from '../program.ts';
import { caddy } from './caddy.ts';
import { fastifyHttpProxy } from './fastify-http-proxy.ts';
import { haproxy } from './haproxy.ts';
import { httpAgent } from './http-agent.ts';
import { latchkey } from './latchkey.ts';
import { nginx } from './nginx.ts';
import type { Peer } from './peer.ts';
import { traefik } from './traefik.ts';

/** Every gateway that is measured; the first is ours. */
const allPeers: readonly Peer[] = [latchkey, nginx, haproxy, traefik, caddy, fastifyHttpProxy, httpAgent];

/**
 * Those of some names, of all if none are given; the names of those that are not installed apart.
 *
 * @throws Error if a name is not a peer's
 */
export function installedPeers(names: readonly string[] | undefined): { installed: Peer[]; missing: string[] } {
  const unknown = names?.find((name) => !allPeers.some((peer) => peer.name === name));
  if (unknown !== undefined)
    throw new Error(`no peer ${unknown}; there are ${allPeers.map(({ name }) => name).join(', ')}`);
  const wanted = allPeers.filter(({ name }) => names === undefined || names.includes(name));
  const isInstalled = ({ program }: Peer): boolean => program === undefined || findProgram(program) !== undefined;
  return {
    installed: wanted.filter(isInstalled),
    missing: wanted.filter((peer) => !isInstalled(peer)).map(({ name }) => name),
  };
}
