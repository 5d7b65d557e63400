/** WebSockets that are open while what let them in changes. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { KubernetesObject } from '#resources/kind.ts';
import { consumer, ingress, keySecret, plugin, service, slice, type IngressFields } from '../support/objects.ts';
import { upgradeHead } from '../support/raw-tunnel.ts';
import { emptyPipeline } from '../support/silent-pipeline.ts';

const created = { created: undefined };

const route = (fields: Pick<IngressFields, 'name' | 'path' | 'plugins'>): KubernetesObject =>
  ingress({ ...fields, service: 's', ...created, isBroken: false });

const keyAuth = (config: object = {}): KubernetesObject =>
  plugin({ name: 'key', type: 'key-auth', config, isDisabled: false, isGlobal: false });

const person = (name: string): KubernetesObject[] => [
  consumer({ name, username: name, credentials: [`${name}-k`], ...created, class: 'kong' }),
  keySecret(`${name}-k`, `${name}s-key`),
];

/** What stays while a test changes the rest. */
const usual = (port: number): KubernetesObject[] => [
  service({ name: 's', port: 80, plugins: [] }),
  slice({ name: 's-1', service: 's', address: '127.0.0.1', port }),
];

const guarded = [route({ name: 'guarded', path: '/guarded', plugins: ['key'] }), keyAuth()];

/** A gateway before a WebSocket server that echoes, with these objects in force. */
async function startEcho(objects: readonly KubernetesObject[], flags: readonly string[] = []) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  await once(server, 'listening');
  const { port: upstreamPort } = server.address() as AddressInfo;
  const { pipeline, source } = await emptyPipeline(flags);
  onTestFinished(async () => {
    await pipeline.stop(0);
    server.close();
  });
  const set = async (changed: readonly KubernetesObject[]): Promise<void> => {
    source.set([...usual(upstreamPort), ...changed]);
    await pipeline.settled();
  };
  await set(objects);
  return {
    set,
    /** A WebSocket with the key of somebody. */
    async open(path: string, name?: string): Promise<WebSocket> {
      const headers = name === undefined ? {} : { apikey: `${name}s-key` };
      const socket = new WebSocket(`ws://127.0.0.1:${pipeline.port}${path}`, { headers });
      onTestFinished(() => socket.terminate());
      await once(socket, 'open');
      return socket;
    },
  };
}

async function bytesOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

const closed = async (socket: WebSocket): Promise<string> => {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return `${code} ${reason.toString('utf8')}`;
};

async function expectEcho(socket: WebSocket): Promise<void> {
  socket.send('hello');
  const [data] = (await once(socket, 'message')) as [Buffer];
  expect(data.toString('utf8')).toBe('hello');
}

test('the WebSocket of a revoked key is closed, and no other', async () => {
  const { open, set } = await startEcho([...guarded, ...person('bob'), ...person('eve')]);
  const [bob, eve] = [await open('/guarded', 'bob'), await open('/guarded', 'eve')];
  const closing = closed(bob);
  await set([...guarded, ...person('eve')]);
  expect(await closing).toBe('1008 the credential is no longer in force');
  await expectEcho(eve);
});

test('a key that is revoked while the upstream is asked to switch gets no word through', async () => {
  let asked: (socket: Socket) => void = () => undefined;
  const reached = new Promise<Socket>((resolve) => (asked = resolve));
  const server = createServer().on('upgrade', (_, socket: Socket) => asked(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { pipeline, source } = await emptyPipeline();
  onTestFinished(async () => pipeline.stop(0));
  const set = async (objects: readonly KubernetesObject[]): Promise<void> => {
    source.set([...usual((server.address() as AddressInfo).port), ...guarded, ...objects]);
    await pipeline.settled();
  };
  await set(person('bob'));

  const client = connect(pipeline.port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  const toClient = bytesOf(client);
  client.write(upgradeHead({ apikey: 'bobs-key' }, '/guarded'));
  client.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61])); // a text, before it may speak
  const upstream = await reached;
  onTestFinished(() => void upstream.destroy());
  const toUpstream = bytesOf(upstream);
  await set([]);
  upstream.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  expect((await toClient).toString('latin1')).toContain('the credential is no longer in force');
  const told = await toUpstream;
  // A masked Close and nothing else: any byte of it may be any, the `a` of the text as well.
  expect([told[0], told.byteLength]).toEqual([0x88, 2 + 4 + ((told[1] ?? 0) & 0x7f)]);
});

test('a key that ends ends its WebSockets', async () => {
  const { set, open } = await startEcho([...guarded, ...person('bob')]);
  const expiresAt = new Date(Date.now() + 1500).toISOString();
  const expiring = person('bob').map((object) =>
    object.kind === 'Secret'
      ? { ...object, metadata: { ...object.metadata, annotations: { 'latchkey.dev/expires-at': expiresAt } } }
      : object,
  );
  const closing = closed(await open('/guarded', 'bob'));
  await set([...guarded, ...expiring]);
  expect(await closing).toBe('1008 the credential is no longer in force');
});

test('a key that comes to be of another consumer ends its WebSockets', async () => {
  const { open, set } = await startEcho([...guarded, ...person('bob')]);
  const closing = closed(await open('/guarded', 'bob'));
  const other = consumer({ name: 'rob', username: 'rob', credentials: ['bob-k'], ...created, class: 'kong' });
  await set([...guarded, other, keySecret('bob-k', 'bobs-key')]);
  expect(await closing).toBe('1008 the credential is no longer in force');
});

const changes: Readonly<Record<string, readonly KubernetesObject[]>> = {
  'that is deleted': [keyAuth(), ...person('bob')],
  'that is deleted, so that a wider one takes its path': [
    route({ name: 'all', path: '/', plugins: ['key'] }),
    keyAuth(),
    ...person('bob'),
  ],
  'that gets another plugin': [
    route({ name: 'guarded', path: '/guarded', plugins: ['key', 'closed'] }),
    plugin({ name: 'closed', type: 'acl', config: { allow: ['staff'] }, isDisabled: false, isGlobal: false }),
    keyAuth(),
    ...person('bob'),
  ],
  'whose plugin changes': [guarded[0] ?? {}, keyAuth({ key_names: ['x-key'] }), ...person('bob')] as KubernetesObject[],
  'whose plugin is gone': [...guarded.slice(0, 1), ...person('bob')],
  'whose place another takes that is narrower': [
    ...guarded,
    route({ name: 'narrow', path: '/guarded/chat', plugins: ['key', 'closed'] }),
    plugin({ name: 'closed', type: 'acl', config: { allow: ['staff'] }, isDisabled: false, isGlobal: false }),
    ...person('bob'),
  ],
};

test.for(Object.keys(changes))('the WebSockets of a route %s are closed', async (what) => {
  const { open, set } = await startEcho([...guarded, ...person('bob')]);
  const closing = closed(await open('/guarded/chat', 'bob'));
  await set(changes[what] ?? []);
  expect(await closing).toBe('1008 access to the route has changed');
});

test('a global plugin closes what was open to everybody', async () => {
  const open = route({ name: 'open', path: '/', plugins: [] });
  const stage = await startEcho([open]);
  const closing = closed(await stage.open('/'));
  await stage.set([
    open,
    plugin({ name: 'everywhere', type: 'key-auth', config: {}, isDisabled: false, isGlobal: true }),
  ]);
  expect(await closing).toBe('1008 access to the route has changed');
});

test('changes that take nothing from a caller close nothing', async () => {
  const first = [...guarded, ...person('bob')];
  const { open, set } = await startEcho(first);
  const bob = await open('/guarded', 'bob');
  const all = route({ name: 'all', path: '/', plugins: [] });
  const sameAgain = { ...guarded[0], metadata: { ...guarded[0]?.metadata, labels: { a: 'b' } } } as KubernetesObject;
  for (const objects of [
    [...first, all],
    [...first, all, ...person('eve')],
    [...first, route({ name: 'guarded-too', path: '/guarded/too', plugins: [] })],
    [sameAgain, ...first.slice(1)],
  ]) {
    // Once zoe, who came later, has been found, bob has been looked at in the same round.
    await set([...objects, ...person('zoe')]);
    const closing = closed(await open('/guarded', 'zoe'));
    await set(objects);
    await closing;
    await expectEcho(bob);
  }
});

test('on request WebSockets outlive what let them in', async () => {
  const { open, set } = await startEcho([...guarded, ...person('bob')], ['--recheck-tunnels', 'false']);
  const socket = await open('/guarded', 'bob');
  await set([]);
  await expectEcho(socket);
});
