/**
 * What the gateway lets through means the same to it and to nginx: as many requests, with the same method,
 * target, Host and length of the body. LATCHKEY_FUZZ_SECONDS makes it run longer than the usual 8.
 *
 *   bytes ─┬─▶ gateway ─▶ nginx      what nginx read …
 *          └─▶ Node's parser, guard  … must be what these made of the bytes
 */
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { guardRequest } from '#gateway/request-guard.ts';
import { usualPathRules } from '#table/normalize-path.ts';
import { send } from '../support/client.ts';
import { rawRequests } from '../support/framing-fuzz.ts';
import { nginxProgram, startNginx, type ReadRequest } from '../support/nginx.ts';
import { oneUpstream } from '../support/raw-stage.ts';
import { proxySettings } from '../support/proxy-settings.ts';

const seconds = Number(process.env['LATCHKEY_FUZZ_SECONDS'] ?? 8);
/** Most of what goes wrong leaves the gateway waiting for more: after so long without a byte, no more is said to come. */
const silenceMs = 300;

/** Sends bytes; when nothing more comes back, says that nothing more will be sent. Gives what came. */
async function say(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  socket.setTimeout(silenceMs, () => socket.end());
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return text;
}

/** Node's parser and the gateway's guard, and what they made of all that was sent. */
async function startReference() {
  let read: Omit<ReadRequest, 'status'>[] = [];
  const server = createServer({ requireHostHeader: false, shouldUpgradeCallback: () => false }, (request, response) => {
    let length = 0;
    request.on('data', (chunk: Buffer) => (length += chunk.byteLength));
    request.on('error', () => undefined);
    request.on('end', () => {
      const guarded = guardRequest(request, usualPathRules, proxySettings().limits);
      const { method = '' } = request;
      if (!('reason' in guarded)) {
        const target = guarded.hasQuery ? `${guarded.path}?${guarded.query}` : guarded.path;
        read.push({ method, target, host: guarded.authority, length });
      }
      response.end();
    });
  });
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    take(): string[] {
      const taken = read.map(lineOf);
      read = [];
      return taken;
    },
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const lineOf = ({ method, target, host, length }: Omit<ReadRequest, 'status'>): string =>
  `${method} ${target} of ${host === '' ? 'nobody' : host}, ${length} bytes`;

/** What is in the first list and not, or not as often, in the second. */
function beyond(some: readonly string[], all: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const item of all) left.set(item, (left.get(item) ?? 0) + 1);
  return some.filter((item) => {
    const count = left.get(item) ?? 0;
    left.set(item, count - 1);
    return count <= 0;
  });
}

const answersOf = (text: string): string[] =>
  [...text.matchAll(/HTTP\/1\.1 \d{3} .*?\r\n\r\n/gs)]
    .map(([head]) => head)
    .filter((head) => /^Server: nginx/m.test(head));

describe.skipIf(nginxProgram === undefined && process.env['CI'] === undefined)(
  'with nginx (skipped where it is not installed)',
  () => {
    let nginx: Awaited<ReturnType<typeof startNginx>>;
    let gateway: Awaited<ReturnType<typeof oneUpstream>>;
    let reference: Awaited<ReturnType<typeof startReference>>;

    beforeAll(async () => {
      nginx = await startNginx(nginxProgram ?? 'nginx');
      gateway = await oneUpstream(nginx.port);
      reference = await startReference();
    });

    afterAll(async () => {
      await gateway.stop();
      await nginx.stop();
      await reference.stop();
    });

    test('what is let through is read alike', { timeout: (seconds + 60) * 1_000 }, async () => {
      let through = 0;
      const property = fc.asyncProperty(
        fc.array(rawRequests, { minLength: 1, maxLength: 120, size: 'max' }),
        async (batch) => {
          reference.take();
          nginx.read();
          const texts = await Promise.all(batch.map(async (bytes) => say(gateway.port, bytes)));
          await Promise.all(batch.map(async (bytes) => say(reference.port, bytes)));
          // However long they take: by then nginx has written down what came before.
          for (let i = 0; i < 2; i += 1) await send({ port: gateway.port, path: '/fence' });
          const read = nginx.read().filter(({ target }) => target !== '/fence');
          const whole = read.filter(({ status }) => status === 200);
          const answers = texts.flatMap(answersOf);
          through += whole.length;
          // Nothing that nginx read is unknown to us, nothing that we sent is a riddle to it, each answer is of a request.
          expect(beyond(whole.map(lineOf), reference.take())).toEqual([]);
          expect(answers.filter((head) => !head.startsWith('HTTP/1.1 200 '))).toEqual([]);
          expect(answers.length).toBeLessThanOrEqual(whole.length);
        },
      );
      await fc.assert(property, {
        seed: Number(process.env['LATCHKEY_FUZZ_SEED'] ?? 6),
        numRuns: 1_000_000,
        interruptAfterTimeLimit: seconds * 1_000,
        markInterruptAsFailure: false,
      });
      expect(through).toBeGreaterThan(200);
    });
  },
);
