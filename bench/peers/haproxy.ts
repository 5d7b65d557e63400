import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../program.ts';
import { refusal, type Assignment, type Peer } from './peer.ts';

const config = ({ port, httpsPort, certificate, upstreamPort, workers }: Assignment, map: string): string => `
global
  nbthread ${workers}
  maxconn 8192

defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always

frontend bench
  bind 127.0.0.1:${port}
  bind 127.0.0.1:${httpsPort} ssl crt ${certificate.both} alpn h2,http/1.1
  http-request set-var(txn.consumer) req.hdr(apikey),map_str(${map})
  http-request return status 401 content-type application/json string '${refusal}' unless { var(txn.consumer) -m found }
  http-request set-header X-Consumer-Username %[var(txn.consumer)]
  default_backend upstream

backend upstream
  server upstream 127.0.0.1:${upstreamPort}
`;

/** HAProxy with a thread for each worker and the keys in a map file; connections to the upstream are always reused. */
export const haproxy: Peer = {
  name: 'HAProxy',
  program: 'haproxy',
  async command(assignment) {
    const map = join(assignment.folder, 'keys.map');
    const file = join(assignment.folder, 'haproxy.cfg');
    await writeFile(map, [...assignment.keys].map(([key, consumer]) => `${key} ${consumer}\n`).join(''));
    await writeFile(file, config(assignment, map));
    return [findProgram('haproxy') ?? 'haproxy', '-db', '-f', file];
  },
};
