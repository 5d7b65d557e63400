import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './free-port.ts';
import { send } from './client.ts';
import { untilFound } from './until-found.ts';

/** Where nginx is installed, if it is. */
export const nginxProgram = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  .map((folder) => join(folder, 'nginx'))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** A request as nginx read it. */
export interface ReadRequest {
  readonly status: number;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** Bytes of the body, once it has come whole. */
  readonly length: number;
}

/**
 * The first server reads whole requests and sends them to the second, which is told their length however they
 * were framed, and tells it in turn.
 */
const config = (folder: string, port: number, innerPort: number): string => `
daemon off;
master_process off;
error_log ${folder}/error.log crit;
pid ${folder}/nginx.pid;
events { worker_connections 512; }
http {
  log_format read escape=json '{"status":$status,"method":"$request_method","target":"$request_uri","host":"$http_host","length":"$upstream_http_x_length"}';
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 0;
  keepalive_requests 100000;
  server {
    listen 127.0.0.1:${port};
    access_log ${folder}/read.log read;
    location / { proxy_pass http://127.0.0.1:${innerPort}; }
  }
  server {
    listen 127.0.0.1:${innerPort};
    access_log off;
    location / { add_header X-Length "0$http_content_length"; return 200 "read by nginx"; }
  }
}
`;

/** An nginx that answers 200 and keeps a record of what it read. */
export async function startNginx(program: string) {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-nginx-'));
  const [port, innerPort] = [await freePort(), await freePort()];
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, config(folder, port, innerPort));
  const child = spawn(program, ['-p', folder, '-e', join(folder, 'error.log'), '-c', file], { stdio: 'ignore' });
  await untilFound('nginx answers', async () => send({ port, path: '/up' }).catch(() => undefined));
  let from = 0;
  return {
    port,
    /** What it read since this was asked last; all that it has answered is there. */
    read(): ReadRequest[] {
      const text = readFileSync(join(folder, 'read.log'), 'utf8');
      const lines = text.slice(from).split('\n').slice(0, -1);
      from = text.lastIndexOf('\n') + 1;
      return lines.map((line) => {
        const entry = JSON.parse(line) as Omit<ReadRequest, 'length'> & { readonly length: string };
        return { ...entry, length: Number(entry.length) };
      });
    },
    async stop(): Promise<void> {
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
