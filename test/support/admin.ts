import type { AddressInfo } from 'node:net';
import type { AdminOptions } from '#admin/backend.ts';
import { createAdminServer } from '#admin/server.ts';
import { sealingWith } from '#translate/sealing.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { sealSecret } from '#store/seal.ts';
import { createStore } from '#store/store.ts';
import { makeDigest } from '#table/digest.ts';
import { send } from './client.ts';
import { memorySource, type Likeness } from './memory-source.ts';

/** An answer with its JSON body, or null when it has none. */
export interface AdminReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects
  readonly body: any;
}

/** An Ingress of class kong in `default` that sends a path to the Service `mocking`. */
export function ingressNamed(name: string, changes: Partial<KubernetesObject['metadata']> = {}): KubernetesObject {
  const backend = { service: { name: 'mocking', port: { number: 80 } } };
  const paths = [{ path: `/${name}`, pathType: 'Prefix', backend }];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z', ...changes },
    spec: { ingressClassName: 'kong', rules: [{ http: { paths } }] },
  };
}

/**
 * The Admin API over real HTTP with a real store on a source in memory, which is sealed on the way as the
 * pipeline does it.
 */
export async function startAdmin(
  objects: readonly KubernetesObject[] = [],
  like: Likeness = 'directory',
  changes: Partial<AdminOptions> = {},
) {
  const source = memorySource(like);
  const store = createStore();
  const digest = makeDigest(Buffer.alloc(32, 7));
  const sealing = sealingWith(digest);
  const clock = { now: new Date('2026-03-01T12:00:00.000Z') };
  /** What happened, in order: writes that were delivered, and that they were waited for. */
  const events: string[] = [];
  const logged: string[] = [];
  source.set(...objects);
  await source.start({
    changes(delivered) {
      for (const change of delivered) {
        const isSecret = change.type === 'put' && change.ref.kind === 'Secret';
        store.record(isSecret ? { ...change, object: sealSecret(change.object, sealing) } : change);
      }
      events.push('delivered');
    },
    fileProblems: () => undefined,
  });
  const app = createAdminServer({
    store,
    source,
    settled: async () => void events.push('settled'),
    ingressClass: 'kong',
    version: '1.2.3',
    now: () => clock.now,
    digest: (type, secret) => digest(type, secret).toString('base64url'),
    log: { error: (fields, message) => void logged.push(JSON.stringify({ ...fields, message })) },
    ...changes,
  });
  const arrived = { count: 0, all: () => undefined as void };
  app.addHook('preHandler', async () => {
    arrived.count -= 1;
    if (arrived.count === 0) setImmediate(arrived.all);
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;

  /** Sends `POST /path` with a form (a string), JSON (an object) or nothing. */
  async function call(
    line: string,
    stated?: string | object,
    headers: readonly (readonly [string, string])[] = [],
  ): Promise<AdminReply> {
    const [method = '', path = ''] = line.split(' ');
    const type = typeof stated === 'string' ? 'application/x-www-form-urlencoded' : 'application/json';
    const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type');
    const all = [...headers, ...(stated === undefined || hasType ? [] : [['Content-Type', type] as const])];
    const body = typeof stated === 'object' ? JSON.stringify(stated) : stated;
    const answer = await send({ port, method, path, headers: all, ...(body === undefined ? {} : { body }) });
    const isJson = String(answer.headers['content-type']).startsWith('application/json') && answer.body !== '';
    return {
      status: answer.status,
      headers: answer.headers,
      text: answer.body,
      body: isJson ? (JSON.parse(answer.body) as unknown) : null,
    };
  }

  /** Sends requests that all have been checked, if they are checked at once, before any is written. */
  async function callAtOnce(lines: readonly string[], stated: string): Promise<AdminReply[]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    Object.assign(arrived, { count: lines.length, all: resolve });
    const release = source.hold();
    const answers = Promise.all(lines.map(async (line) => call(line, stated)));
    await promise;
    release();
    return answers;
  }

  return { port, source, store, clock, events, logged, call, callAtOnce, close: async () => app.close() };
}

export type TestAdmin = Awaited<ReturnType<typeof startAdmin>>;
