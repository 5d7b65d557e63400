/**
 * Peers that come as Go modules: built once into a cache outside the repository by `npm run bench -- peers`, and left
 * out of the other benches until then.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runProcess } from '../process.ts';

/** Where they are; `findProgram` looks there too. */
export const goPrograms = join(
  process.env['LATCHKEY_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'latchkey'),
  'bench-peers',
);

const caddyPackage = 'github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9';

/** Traefik replaces modules of others, which a `go install` from outside does not take over. */
const traefikModule = `module latchkey.dev/bench/traefik

go 1.25.0

require github.com/traefik/traefik/v3 v3.6.12

tool github.com/traefik/traefik/v3/cmd/traefik

replace (
	github.com/abbot/go-http-auth => github.com/containous/go-http-auth v0.4.1-0.20200324110947-a37a7636d23e
	github.com/gorilla/mux => github.com/containous/mux v0.0.0-20250523120546-41b6ec3aed59
	github.com/mailgun/minheap => github.com/containous/minheap v0.0.0-20190809180810-6e71eb837595
)
`;

/** Builds Caddy and Traefik; some minutes the first time. Rejects with what Go says. */
export async function buildGoPrograms(): Promise<void> {
  const module = join(goPrograms, 'traefik-module');
  await mkdir(module, { recursive: true });
  await runProcess(['env', `GOBIN=${goPrograms}`, 'go', 'install', caddyPackage]);
  await writeFile(join(module, 'go.mod'), traefikModule);
  const output = join(goPrograms, 'traefik');
  await runProcess([
    'go',
    'build',
    '-C',
    module,
    '-mod=mod',
    '-o',
    output,
    'github.com/traefik/traefik/v3/cmd/traefik',
  ]);
}
