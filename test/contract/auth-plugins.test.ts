/** What every plugin that finds out who the caller is has in common (kong-facts 1.4 to 1.7); a new one is a line below. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPipeline, type Pipeline } from '#pipeline.ts';
import { pluginSchemas } from '#plugins/schemas.ts';
import { send, type ReceivedAnswer } from '../support/client.ts';
import { consumer, inDefault, ingress, service, slice } from '../support/cluster-objects.ts';
import { freePort } from '../support/free-port.ts';
import { objectSource } from '../support/object-source.ts';
import { silent } from '../support/silent.ts';
import { seenHeader, startUpstream } from '../support/upstream.ts';
import { proxySettings } from '../support/proxy-settings.ts';

type Headers = readonly (readonly [name: string, value: string])[];

interface AuthPlugin {
  readonly type: string;
  /** Data of a credential Secret. */
  readonly data: Readonly<Record<string, string>>;
  readonly good: Headers;
  readonly bad: Headers;
  /** The header that `hide_credentials` takes away. */
  readonly hidden: string;
}

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

const plugins: readonly AuthPlugin[] = [
  { type: 'key-auth', data: { key: 'good' }, good: [['apikey', 'good']], bad: [['apikey', 'bad']], hidden: 'apikey' },
  {
    type: 'basic-auth',
    data: { username: 'bob', password: 'good' },
    good: [['Authorization', basic('bob:good')]],
    bad: [['Authorization', basic('bob:bad')]],
    hidden: 'authorization',
  },
];

const source = objectSource();
let upstream: Awaited<ReturnType<typeof startUpstream>>;
let pipeline: Pipeline;

beforeAll(async () => {
  upstream = await startUpstream();
  pipeline = await startPipeline({
    openSource: async () => source,
    translate: { ingressClass: 'kong' },
    listen: { host: '127.0.0.1', port: await freePort() },
    workers: 1,
    ...(await silent()),
    proxy: proxySettings(),
    version: '0.0.0-test',
  });
});

afterAll(async () => {
  await pipeline.stop(0);
  await upstream.close();
});

const plugin = (type: string, config: object) => ({
  apiVersion: 'configuration.konghq.com/v1',
  kind: 'KongPlugin',
  metadata: inDefault(type),
  plugin: type,
  config,
});

const credential = ({ type, data }: AuthPlugin, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: inDefault(`bob-${type}`, {
    creationTimestamp: '2020-01-01T00:00:00Z',
    labels: { 'konghq.com/credential': type },
  }),
  stringData: { ...data, ...more },
});

/** Serves one route that these plugins guard, with Bob, who has a credential for each, and a guest. */
async function guard(guards: readonly AuthPlugin[], config: object, secret: object = {}): Promise<void> {
  source.set([]);
  const objects = [
    service,
    slice(['127.0.0.1'], upstream.port),
    ingress('guarded', '/', { 'konghq.com/plugins': guards.map(({ type }) => type).join(', ') }),
    ...guards.flatMap((one) => [plugin(one.type, config), credential(one, secret)]),
    consumer(
      'bob',
      guards.map(({ type }) => `bob-${type}`),
    ),
    consumer('guest', []),
  ];
  source.set(objects);
  await pipeline.settled();
  upstream.take();
}

const ask = async (headers: Headers): Promise<ReceivedAnswer> => send({ port: pipeline.port, path: '/', headers });
const seen = (name: string): string[] => seenHeader(upstream.take()[0], name);

/** An answer without what differs from one to the next. */
function comparable({ status, headers, body }: ReceivedAnswer): unknown {
  const { date: _, 'x-kong-request-id': id, 'x-kong-response-latency': __, ...rest } = headers;
  return { status, headers: rest, body: body.replace(String(id), 'id') };
}

test('every plugin that authenticates is tried here', () => {
  const names = [...pluginSchemas.values()]
    .filter(({ authenticates }) => authenticates === true)
    .map(({ name }) => name);
  expect(plugins.map(({ type }) => type)).toEqual(names);
});

describe.for(plugins)('$type', (one) => {
  test('without a credential, or with a wrong one, nobody gets through', async () => {
    await guard([one], {});
    for (const headers of [[], one.bad]) {
      const answer = await ask(headers);
      expect([answer.status, typeof answer.headers['www-authenticate']]).toEqual([401, 'string']);
    }
    expect(upstream.take()).toEqual([]);
  });

  test('with a good one the upstream is told who it is, and nobody else can say so', async () => {
    await guard([one], {});
    expect((await ask([...one.good, ['X-Consumer-Username', 'root'], ['x_consumer_id', '1']])).status).toBe(200);
    const [request] = upstream.take();
    expect(seenHeader(request, 'X-Consumer-Username')).toEqual(['bob']);
    expect(seenHeader(request, 'x_consumer_id')).toEqual([]);
    expect(seenHeader(request, 'X-Credential-Identifier')).toHaveLength(1);
    expect(seenHeader(request, 'X-Anonymous-Consumer')).toEqual([]);
  });

  test('an expired credential looks like a wrong one, to the last header', async () => {
    await guard([one], {});
    const wrong = comparable(await ask(one.bad));
    await guard([one], {}, { ttl: '1' });
    expect(comparable(await ask(one.good))).toEqual(wrong);
  });

  test('the credential goes on, unless it is to be hidden', async () => {
    await guard([one], {});
    await ask(one.good);
    expect(seen(one.hidden)).toHaveLength(1);
    await guard([one], { hide_credentials: true });
    await ask(one.good);
    expect(seen(one.hidden)).toEqual([]);
  });

  test('with an anonymous consumer everybody gets through, as who they are', async () => {
    await guard([one], { anonymous: 'guest' });
    for (const [headers, username] of [
      [[], 'guest'],
      [one.bad, 'guest'],
      [one.good, 'bob'],
    ] as const) {
      expect((await ask(headers)).status).toBe(200);
      expect(seen('X-Consumer-Username')).toEqual([username]);
    }
  });

  test('an anonymous consumer that does not exist is nobody', async () => {
    await guard([one], { anonymous: 'nobody' });
    expect((await ask([])).status).toBe(500);
    expect((await ask(one.good)).status).toBe(200);
  });

  test.for(plugins.filter((other) => other !== one))('together with $type both are wanted', async (other) => {
    await guard([one, other], {});
    expect((await ask(one.good)).status).toBe(401);
    expect((await ask([...one.good, ...other.good])).status).toBe(200);
  });

  test.for(plugins.filter((other) => other !== one))('with anonymous, it or $type lets in', async (other) => {
    await guard([one, other], { anonymous: 'guest' });
    for (const headers of [one.good, other.good, [...one.good, ...other.bad]]) {
      expect((await ask(headers)).status).toBe(200);
      expect(seen('X-Consumer-Username')).toEqual(['bob']);
    }
  });
});
