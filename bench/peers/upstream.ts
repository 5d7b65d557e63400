import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled, start } from '../processes.ts';

const body = '{"hello":"world","from":"the upstream of the bench","padding":"..............................."}';

/** The upstream that every peer forwards to: nginx when it is installed, as it costs least, else Node. */
export async function startUpstream(folder: string, port: number, core: number): Promise<ChildProcess> {
  if (!isInstalled('nginx')) {
    const script = `require('http').createServer((q,s)=>{s.setHeader('Content-Type','application/json');s.end(${JSON.stringify(body)})}).listen(${port},'127.0.0.1')`;
    return start([process.execPath, '-e', script], { core });
  }
  const file = join(folder, 'upstream.conf');
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/upstream.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off; default_type application/json; keepalive_requests 1000000000; keepalive_timeout 600s;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  server { listen 127.0.0.1:${port}; location / { return 200 '${body}'; } }
}
`,
  );
  return start(['nginx', '-p', folder, '-e', 'stderr', '-c', file], { core });
}
