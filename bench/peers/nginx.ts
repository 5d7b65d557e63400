import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../program.ts';
import { refusal, type Assignment, type Peer } from './peer.ts';

const config = ({ port, httpsPort, certificate, upstreamPort, workers, keys, folder }: Assignment): string => `
daemon off;
worker_processes ${workers};
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder};
  proxy_temp_path ${folder};
  fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder};
  scgi_temp_path ${folder};
  default_type application/json;
  map_hash_max_size ${keys.size * 2};
  map_hash_bucket_size 128;
  map $http_apikey $consumer {
    default "";
${[...keys].map(([key, consumer]) => `    "${key}" "${consumer}";`).join('\n')}
  }
  upstream bench {
    server 127.0.0.1:${upstreamPort};
    keepalive 256;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} reuseport;
    listen 127.0.0.1:${httpsPort} ssl http2 reuseport;
    ssl_certificate ${certificate.certificate};
    ssl_certificate_key ${certificate.privateKey};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      if ($consumer = "") { return 401 '${refusal}'; }
      proxy_pass http://bench;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Consumer-Username $consumer;
    }
  }
}
`;

/** nginx with the keys in a `map`, keep-alive on both sides and no access log; each worker has its share of the connections. */
export const nginx: Peer = {
  name: 'nginx',
  program: 'nginx',
  async command(assignment) {
    const file = join(assignment.folder, 'nginx.conf');
    await writeFile(file, config(assignment));
    return [findProgram('nginx') ?? 'nginx', '-p', assignment.folder, '-c', file];
  },
};
