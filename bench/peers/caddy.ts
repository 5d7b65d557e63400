import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../program.ts';
import { refusal, type Assignment, type Peer } from './peer.ts';

const config = ({ port, httpsPort, certificate, upstreamPort, loaded: [key, consumer] }: Assignment): string => `
{
  admin off
  auto_https off
  persist_config off
  default_sni localhost
  fallback_sni localhost
  log {
    level ERROR
  }
}
(bench) {
  bind 127.0.0.1
  @known header apikey ${key}
  handle @known {
    reverse_proxy 127.0.0.1:${upstreamPort} {
      header_up X-Consumer-Username ${consumer}
      transport http {
        keepalive_idle_conns_per_host 256
      }
    }
  }
  handle {
    respond \`${refusal}\` 401
  }
}
http://:${port} {
  import bench
}
https://:${httpsPort} {
  tls ${certificate.certificate} ${certificate.privateKey}
  import bench
}
`;

/** Caddy with a thread for each worker. It tries its keys one after the other, so it gets the one that the load has. */
export const caddy: Peer = {
  name: 'Caddy',
  program: 'caddy',
  async command(assignment) {
    const file = join(assignment.folder, 'Caddyfile');
    await writeFile(file, config(assignment));
    const run = [findProgram('caddy') ?? 'caddy', 'run', '--adapter', 'caddyfile', '--config', file];
    return ['env', `GOMAXPROCS=${assignment.workers}`, ...run];
  },
};
