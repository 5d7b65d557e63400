/** A certificate that is renewed under load: no request is lost, no connection is cut, new handshakes get the new one. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { fingerprintOf, makePair, tlsSecret } from '../support/certificates.ts';
import { send } from '../support/client.ts';
import { oneService } from '../support/one-service.ts';
import { startLatchkey } from '../support/latchkey-process.ts';
import { replaceFile } from '../support/replace-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const host = 'a.example.com';

/** One request on a connection that is kept, which refuses every certificate but this. */
async function askOn(agent: Agent, port: number, ca: string) {
  return new Promise<{ readonly status: number; readonly socket: TLSSocket }>((resolve, reject) => {
    httpsRequest({ agent, host: '127.0.0.1', port, servername: host, headers: { host }, ca }, (response) => {
      const socket = response.socket as TLSSocket;
      response.resume().once('end', () => resolve({ status: response.statusCode ?? 0, socket }));
    })
      .once('error', reject)
      .end();
  });
}

test('a renewed certificate is shown to new handshakes, and nobody who is connected notices', async () => {
  const upstream = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  onTestFinished(() => void upstream.close());
  const dir = temporaryFolder();
  const [first, ...later] = Array.from({ length: 6 }, () => makePair({ names: [host] })) as [
    ReturnType<typeof makePair>,
    ...ReturnType<typeof makePair>[],
  ];
  const show = (pair: typeof first): void => replaceFile(join(dir, 'cert.yaml'), stringify(tlsSecret('cert', pair)));
  writeFileSync(join(dir, 'routes.yaml'), oneService((upstream.address() as AddressInfo).port, { tlsHost: host }));
  show(first);
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', '2']);
  onTestFinished(async () => void (await latchkey.stop()));

  const kept = new Agent({ keepAlive: true, maxSockets: 4 });
  onTestFinished(() => kept.destroy());
  const sockets = new Set<TLSSocket>();
  const statuses: number[] = [];
  let isOver = false;
  const load = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      const { status, socket } = await askOn(kept, latchkey.httpsPort, first.certificate);
      statuses.push(status);
      sockets.add(socket);
    }
  });
  const known = new Set([first, ...later].map(fingerprintOf));
  /** Connections of their own, until what both workers show is the newest. */
  const untilShown = async (pair: typeof first): Promise<void> => {
    const inARow = 12;
    for (let shown = 0; shown < inARow;) {
      const headers = [['Host', host]] as const;
      const answer = await send({ port: latchkey.httpsPort, path: '/', serverName: host, headers });
      const { fingerprint = '' } = answer.certificate ?? {};
      expect([answer.status, known.has(fingerprint)]).toEqual([200, true]);
      shown = fingerprint === fingerprintOf(pair) ? shown + 1 : 0;
    }
  };
  await untilShown(first);
  for (const pair of later) {
    show(pair);
    await untilShown(pair);
  }
  isOver = true;
  await Promise.all(load);
  expect(statuses.length).toBeGreaterThan(20);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  // The connections are those of the beginning: a new one would have been refused, its certificate is another.
  expect(sockets.size).toBe(4);
  const pem = later.map(({ privateKey }) => privateKey.split('\n')[1] ?? '');
  expect(pem.filter((line) => latchkey.output().includes(line))).toEqual([]);
});
