/** A thousand WebSockets that are open while the table and the endpoints change. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bobsKey } from '../support/bobs-key.ts';
import { send } from '../support/client.ts';
import { startLatchkey } from '../support/latchkey-process.ts';
import { oneService } from '../support/one-service.ts';
import { replaceFile } from '../support/replace-file.ts';
import { startTunnelUpstream, upgradeHead } from '../support/raw-tunnel.ts';
import { startUpstream } from '../support/upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

/** A text of one character, by a client that masks it with nothing. */
const hello = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]);

async function openOne(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  socket.write(upgradeHead({ apikey: 'bobs-key' }));
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\n$/s);
  return socket;
}

async function echoed(socket: Socket): Promise<string> {
  if (socket.destroyed || socket.readableEnded) return 'lost';
  socket.write(hello);
  const answer = once(socket, 'data').then(([data]) => ((data as Buffer).equals(hello) ? 'echo' : 'something else'));
  return Promise.race([answer, once(socket, 'close').then(() => 'lost')]);
}

/** A route of its own to the Service, which says when the change that brought it is in force. */
const markerRoute = (i: number): string => `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: marker }
spec:
  ingressClassName: kong
  rules: [{ host: marker-${i}.example, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: s, port: { number: 80 } } } }] } }]
`;

test('none of a thousand WebSockets is lost to changes of the table and of endpoints', async () => {
  const upstream = await startTunnelUpstream();
  upstream.server.on('upgrade', (_, socket) => socket.pipe(socket));
  const other = await startUpstream();
  onTestFinished(other.close);
  const dir = temporaryFolder();
  const route = { 'konghq.com/plugins': 'key-auth' };
  const state = (port: number, i: number): string =>
    `${oneService(port, { route })}---\n${bobsKey}${i === 0 ? '' : markerRoute(i)}`;
  writeFileSync(join(dir, 'all.yaml'), state(upstream.port, 0));
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '2']);
  onTestFinished(async () => void (await latchkey.stop()));

  const sockets: Socket[] = [];
  for (let i = 0; i < 10; i += 1) {
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, async () => openOne(latchkey.proxyPort)))));
  }
  // Every other time the endpoint that they are connected to is gone from the Service.
  for (let i = 1; i <= 10; i += 1) {
    replaceFile(join(dir, 'all.yaml'), state(i % 2 === 0 ? upstream.port : other.port, i));
    await untilServed(latchkey.proxyPort, `marker-${i}.example`);
  }
  const echoes = await Promise.all(sockets.map(echoed));
  expect(echoes.filter((echo) => echo !== 'echo')).toEqual([]);
  for (const socket of sockets) socket.destroy();
});

/** Resolves once a host has a route, on every worker: each request may meet another. */
async function untilServed(port: number, host: string): Promise<void> {
  let served = 0;
  await until({
    what: `a route of ${host}`,
    holds: () => served >= 10,
    subscribe: (check) => {
      const timer = setInterval(() => {
        void send({ port, path: '/', headers: [['Host', host]] }).then(({ status }) => {
          served = status === 404 ? 0 : served + 1;
          check();
        });
      }, 5);
      return () => clearInterval(timer);
    },
  });
}
