/** gRPC through the gateway, with the library that its users have on both sides. */
import {
  credentials,
  makeGenericClientConstructor,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { once } from 'node:events';
import { request as requestHttp1 } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Pipeline } from '#pipeline.ts';
import { bobsKey } from '../support/bobs-key.ts';
import { askHttp2, openHttp2 } from '../support/http2-client.ts';
import { serverPair } from '../support/signed-certificates.ts';
import { silentPipeline } from '../support/silent-pipeline.ts';

const text = {
  requestSerialize: (value: string) => Buffer.from(value),
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (value: string) => Buffer.from(value),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
};
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/echo.Echo/${name}`,
  requestStream,
  responseStream,
  ...text,
});
const definition: ServiceDefinition = {
  unary: method('unary', false, false),
  failing: method('failing', false, false),
  silent: method('silent', false, false),
  down: method('down', false, true),
  up: method('up', true, false),
  both: method('both', true, true),
};

let cancelled: Promise<unknown> = Promise.resolve();

const unary: handleUnaryCall<string, string> = (call, done) => {
  const trailers = new Metadata();
  trailers.set('x-trailer', 'kept');
  done(null, `${call.request} of ${String(call.metadata.get('x-consumer-username')[0] ?? 'nobody')}`, trailers);
};
const failing: handleUnaryCall<string, string> = (_, done) =>
  done({ code: status.RESOURCE_EXHAUSTED, details: 'no more of it: 100 %' });
const silent: handleUnaryCall<string, string> = (call) => {
  cancelled = once(call, 'cancelled');
};
const down: handleServerStreamingCall<string, string> = (call) => {
  for (const i of [1, 2, 3]) call.write(`${call.request} ${i}`);
  call.end();
};
const up: handleClientStreamingCall<string, string> = (call, done) => {
  const parts: string[] = [];
  call.on('data', (part: string) => parts.push(part));
  call.on('end', () => done(null, parts.join(' ')));
};
const both: handleBidiStreamingCall<string, string> = (call) => {
  call.on('data', (part: string) => call.write(`echo ${part}`));
  call.on('end', () => call.end());
};

interface EchoClient {
  unary(
    request: string,
    metadata: Metadata,
    done: (error: ServiceError | null, answer?: string) => void,
  ): ClientUnaryCall;
  failing: EchoClient['unary'];
  silent(
    request: string,
    options: { readonly deadline: number },
    done: (error: ServiceError | null, answer?: string) => void,
  ): ClientUnaryCall;
  down(request: string): ClientReadableStream<string>;
  up(done: (error: ServiceError | null, answer?: string) => void): ClientWritableStream<string>;
  both(): ClientDuplexStream<string, string>;
  close(): void;
}

const noMetadata = new Metadata();

const Client = makeGenericClientConstructor(definition, 'Echo') as unknown as new (
  address: string,
  how: ReturnType<typeof credentials.createInsecure>,
  options?: object,
) => EchoClient;

async function startServer(how: ServerCredentials): Promise<{ readonly server: Server; readonly port: number }> {
  const server = new Server();
  server.addService(definition, { unary, failing, silent, down, up, both });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', how, (error, bound) => (error === null ? resolve(bound) : reject(error))),
  );
  return { server, port };
}

const answerOf = async (
  call: (done: (error: ServiceError | null, answer?: string) => void) => unknown,
): Promise<string> =>
  new Promise((resolve, reject) => call((error, answer) => (error === null ? resolve(answer ?? '') : reject(error))));

const plainServer = ServerCredentials.createInsecure();
const tlsServer = ServerCredentials.createSsl(null, [
  { cert_chain: Buffer.from(serverPair.certificate), private_key: Buffer.from(serverPair.privateKey) },
]);

describe.for([
  ['grpc', plainServer, 'plain'],
  ['grpcs', tlsServer, 'tls'],
] as const)('to an endpoint of %s', ([protocol, how, from]) => {
  let server: Server;
  let pipeline: Pipeline;
  let client: EchoClient;

  beforeAll(async () => {
    const started = await startServer(how);
    server = started.server;
    pipeline = await silentPipeline(started.port, { protocol, route: { 'konghq.com/protocols': 'grpc,grpcs' } });
    const secure = credentials.createSsl(null, null, null, { rejectUnauthorized: false });
    client = new Client(
      `127.0.0.1:${from === 'tls' ? pipeline.httpsPort : pipeline.port}`,
      from === 'tls' ? secure : credentials.createInsecure(),
      { 'grpc.ssl_target_name_override': 'gateway' },
    );
  });
  afterAll(async () => {
    client.close();
    server.forceShutdown();
    await pipeline.stop(0);
  });

  test('a call gets its answer', async () => {
    expect(await answerOf((done) => client.unary('hello', noMetadata, done))).toBe('hello of nobody');
  });

  test('and its trailers', async () => {
    const call = client.unary('hello', noMetadata, () => undefined);
    const [state] = (await once(call, 'status')) as [{ readonly metadata: Metadata }];
    expect(state.metadata.get('x-trailer')).toEqual(['kept']);
  });

  test('the status of an error comes through', async () => {
    await expect(answerOf((done) => client.failing('x', noMetadata, done))).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: 'no more of it: 100 %',
    });
  });

  test('answers stream', async () => {
    const parts: string[] = [];
    for await (const part of client.down('part') as AsyncIterable<string>) parts.push(part);
    expect(parts).toEqual(['part 1', 'part 2', 'part 3']);
  });

  test('requests stream', async () => {
    expect(
      await answerOf((done) => {
        const call = client.up(done);
        for (const part of ['a', 'b', 'c']) call.write(part);
        call.end();
      }),
    ).toBe('a b c');
  });

  test('both stream at once: each part is answered before the next is sent', async () => {
    const call = client.both();
    for (const part of ['one', 'two', 'three']) {
      call.write(part);
      expect((await once(call, 'data'))[0]).toBe(`echo ${part}`);
    }
    call.end();
    await once(call, 'end');
  });

  test('a deadline ends the call behind the gateway as well', async () => {
    await expect(answerOf((done) => client.silent('x', { deadline: Date.now() + 300 }, done))).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    await cancelled;
  });

  test('a request that is no call is told so', async () => {
    const { status: answered, body } = await askHttp2(openHttp2(`http://127.0.0.1:${pipeline.port}`), {
      ':path': '/echo.Echo/unary',
    });
    expect([answered, body]).toMatchObject([415, expect.stringContaining('Non-gRPC request matched gRPC route')]);
  });

  test('a call over HTTP/1.1 is sent to HTTP/2', async () => {
    const request = requestHttp1({
      port: pipeline.port,
      method: 'POST',
      path: '/echo.Echo/unary',
      headers: { 'content-type': 'application/grpc' },
    }).end();
    const [answer] = (await once(request, 'response')) as [
      { readonly statusCode: number; headers: object; resume(): void },
    ];
    answer.resume();
    expect([answer.statusCode, answer.headers]).toMatchObject([426, { upgrade: 'HTTP/2' }]);
  });
});

test('a call that no route takes is told in the words of gRPC', async () => {
  const { server, port } = await startServer(plainServer);
  const pipeline = await silentPipeline(port, { protocol: 'grpc', route: { 'konghq.com/plugins': 'absent' } });
  const client = new Client(`127.0.0.1:${pipeline.port}`, credentials.createInsecure());
  await expect(answerOf((done) => client.unary('x', noMetadata, done))).rejects.toMatchObject({
    code: status.UNAVAILABLE,
  });
  client.close();
  server.forceShutdown();
  await pipeline.stop(0);
});

test('metadata carries the key', async () => {
  const { server, port } = await startServer(plainServer);
  const route = { 'konghq.com/plugins': 'key-auth' };
  const pipeline = await silentPipeline(port, { protocol: 'grpc', route, more: bobsKey });
  const client = new Client(`127.0.0.1:${pipeline.port}`, credentials.createInsecure());
  await expect(answerOf((done) => client.unary('x', noMetadata, done))).rejects.toMatchObject({
    code: status.UNAUTHENTICATED,
  });
  const metadata = new Metadata();
  metadata.set('apikey', 'bobs-key');
  expect(await answerOf((done) => client.unary('hello', metadata, done))).toBe('hello of bob');
  client.close();
  server.forceShutdown();
  await pipeline.stop(0);
});
