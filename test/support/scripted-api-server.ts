/**
 * An API server that does what a real one will not do on demand: answers 410, cuts a line in half, falls
 * silent. It follows a script: each request that comes is answered by the next step for its kind.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { plainKubeconfig } from './kubeconfig.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A request that has come: a list or a watch, and what it asked for. */
interface ApiCall {
  readonly type: 'list' | 'watch';
  readonly query: Readonly<Record<string, string>>;
}

export type Step = (response: ServerResponse, call: ApiCall) => void;

export const objectAt = (name: string, version: number, uid = `uid-of-${name}`) => ({
  metadata: { name, namespace: 'default', uid, resourceVersion: String(version) },
});

/** A page of a list, as of a version; `next` when it is not the last. */
export const page =
  (version: number, items: readonly object[], next?: string): Step =>
  (response) => {
    const metadata = { resourceVersion: String(version), ...(next === undefined ? {} : { continue: next }) };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ apiVersion: 'v1', kind: 'ServiceList', metadata, items }));
  };

/** A refusal, as a Status. */
export const refusal =
  (code: number, reason: string, headers: Readonly<Record<string, string>> = {}): Step =>
  (response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ kind: 'Status', code, reason, message: `refused: ${reason}` }));
  };

export const eventLine = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

/** A watch that sends this text; then it ends, is cut, or stays open in silence. */
export const events =
  (text: string, then: 'ends' | 'is cut' | 'falls silent'): Step =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    response.write(text, () => {
      if (then === 'ends') response.end();
      if (then === 'is cut') response.destroy();
    });
  };

/** Starts it; when the script for a list or a watch is at its end, the watch falls silent and the list is refused. */
export async function startScriptedApiServer(script: {
  readonly list: readonly Step[];
  readonly watch: readonly Step[];
}) {
  const left = { list: [...script.list], watch: [...script.watch] };
  const calls: ApiCall[] = [];
  const server = createServer((request, response) => {
    const query = Object.fromEntries(new URL(request.url ?? '/', 'http://localhost').searchParams);
    const type = query['watch'] === 'true' ? 'watch' : 'list';
    calls.push({ type, query });
    const step = left[type].shift() ?? (type === 'watch' ? events('', 'falls silent') : refusal(500, 'ScriptAtItsEnd'));
    step(response, { type, query });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kubeconfig = join(temporaryFolder(), 'kubeconfig');
  await writeFile(kubeconfig, plainKubeconfig(port, {}));
  return {
    kubeconfig,
    calls,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
