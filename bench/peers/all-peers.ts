import { caddy } from './caddy.ts';
import { fastifyHttpProxy } from './fastify-http-proxy.ts';
import { haproxy } from './haproxy.ts';
import { httpAgent } from './http-agent.ts';
import { latchkey } from './latchkey.ts';
import { nginx } from './nginx.ts';
import type { Peer } from './peer.ts';
import { traefik } from './traefik.ts';

/** Every gateway that `npm run bench -- proxy` measures; the first is ours. */
export const allPeers: readonly Peer[] = [latchkey, nginx, haproxy, traefik, caddy, fastifyHttpProxy, httpAgent];
