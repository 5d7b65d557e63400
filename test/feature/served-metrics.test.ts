/** What metrics tell of what is served, and of what came of requests that no service answered. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { untilFound } from '../support/until-found.ts';
import { certificateEnd, startWatchedGateway } from '../support/watched-gateway.ts';

let gateway: Awaited<ReturnType<typeof startWatchedGateway>>;
let metrics: string;
const answers: { readonly status: number }[] = [];

beforeAll(async () => {
  gateway = await startWatchedGateway();
  answers.push(await gateway.ask('/', { apikey: 'bobs-key' }));
  answers.push(await gateway.ask('/dead'), await gateway.ask('/dead'));
  // A busy worker may tell later.
  await untilFound('all requests are counted', async () => {
    metrics = await gateway.scrape();
    const { '{subsystem="http"}': counted = 0 } = series('kong_nginx_requests_total');
    return counted >= answers.length || undefined;
  });
});
afterAll(async () => gateway.stop());

/** The series of a metric and their values. */
const series = (name: string): Record<string, number> =>
  Object.fromEntries(
    metrics
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );

test('objects are counted by kind and by what their condition says', () => {
  const objects = series('latchkey_objects');
  expect(objects).toMatchObject({
    '{kind="Ingress",reason="Programmed"}': 2,
    '{kind="Ingress",reason="PluginNotFound"}': 1,
    '{kind="KongConsumer",reason="Programmed"}': 2,
  });
  expect(series('ingress_controller_translation_broken_resource_count')).toEqual({ '': 1 });
});

test('keys that end soon are counted', () => {
  expect(series('latchkey_credentials_expiring')).toEqual({ '': 1 });
});

test('a certificate tells when it ends', () => {
  expect(series('latchkey_certificate_expiry_timestamp_seconds')).toEqual({
    '{secret="default/cert",server_name="a.example.com"}': Date.parse(certificateEnd) / 1_000,
  });
});

test('a target that requests put out is unhealthy; one without checks says so', () => {
  const health = series('kong_upstream_target_health');
  const of = (service: string, port: number, state: string): number | undefined =>
    health[
      `{upstream="default/${service}/80",target="127.0.0.1:${port}",address="127.0.0.1:${port}",state="${state}",subsystem="http"}`
    ];
  expect(
    ['healthchecks_off', 'healthy', 'unhealthy', 'dns_error'].map((state) => of('s', gateway.upstream.port, state)),
  ).toEqual([1, 0, 0, 0]);
  expect(
    ['healthchecks_off', 'healthy', 'unhealthy', 'dns_error'].map((state) => of('dead', gateway.deadPort, state)),
  ).toEqual([0, 0, 1, 0]);
});

test('attempts that came to nothing are counted by how, and those made again', () => {
  expect(answers.map(({ status }) => status)).toEqual([200, 502, 503]);
  const labels = 'service="default/dead/80",route="default/to-nobody"';
  expect(series('latchkey_upstream_failures_total')).toEqual({
    [`{${labels},reason="connect"}`]: 3,
    [`{${labels},reason="no-target"}`]: 1,
  });
  expect(series('latchkey_upstream_retries_total')).toEqual({ [`{${labels}}`]: 2 });
});

test('which version runs, and on which Node', () => {
  expect(Object.keys(series('latchkey_build_info'))).toEqual([`{version="0.1.0",node="${process.versions.node}"}`]);
});

test('connections and requests go by Kong’s names', () => {
  expect(series('kong_nginx_requests_total')).toEqual({ '{subsystem="http"}': 3 });
  const connections = series('kong_nginx_connections_total');
  expect(connections['{worker="0",subsystem="http",state="accepted"}']).toBe(3);
});
