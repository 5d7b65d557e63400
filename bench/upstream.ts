import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { untilAnswers } from './ask.ts';
import type { Cores } from './cores.ts';
import { freePort } from '../test/support/free-port.ts';
import { startProcess } from './process.ts';
import { findProgram } from './program.ts';
import { scratchDirectory } from './scratch.ts';

/** What the upstream answers: about 100 bytes, as a small API call would. */
export const upstreamBody = JSON.stringify({ message: 'from the upstream', filler: 'x'.repeat(60) });

/** On this path it answers the name of the consumer that it was told of. */
export const whoPath = '/bench/who';

/** Below `/bench`: what is as long as a page or a picture, 64 KiB. */
export const largePath = '/large';
const largeBody = 'x'.repeat(64 * 1024);

export interface Upstream {
  readonly port: number;
  readonly name: string;
}

const nginxConfig = (port: number, folder: string): string => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder};
  proxy_temp_path ${folder};
  fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder};
  scgi_temp_path ${folder};
  default_type application/json;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { return 200 '${upstreamBody}'; }
    location = /bench${largePath} { alias ${folder}/large; }
    location = ${whoPath} { return 200 '$http_x_consumer_username'; }
  }
}
`;

async function nginxCommand(program: string, port: number): Promise<readonly string[]> {
  const folder = scratchDirectory();
  const file = join(folder, 'nginx.conf');
  await writeFile(join(folder, 'large'), largeBody);
  await writeFile(file, nginxConfig(port, folder));
  return [program, '-p', folder, '-c', file];
}

/** Starts what every gateway forwards to: nginx when it is installed, else a small Node server. */
export async function startUpstream(cores: Cores): Promise<Upstream> {
  const port = await freePort();
  const nginx = findProgram('nginx');
  const command =
    nginx === undefined
      ? [process.execPath, fileURLToPath(import.meta.url), String(port)]
      : await nginxCommand(nginx, port);
  const running = startProcess(cores.onLoadCore(command));
  await untilAnswers(running, { url: `http://127.0.0.1:${port}/bench`, everyMs: 20, deadlineMs: 10_000 });
  return { port, name: nginx === undefined ? 'node:http' : 'nginx' };
}

function serve(port: number): void {
  createServer((request, response) => {
    const plain = request.url === `/bench${largePath}` ? largeBody : upstreamBody;
    const body = request.url === whoPath ? (request.headers['x-consumer-username'] ?? '') : plain;
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    response.end(body);
  }).listen(port, '127.0.0.1');
}

if (import.meta.main) serve(Number(process.argv[2]));
