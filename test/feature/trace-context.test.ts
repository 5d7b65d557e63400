/** How a request is followed from a client through the gateway to a service, and through the logs. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askHttp2, openHttp2 } from '../support/http2-client.ts';
import { printedSince } from '../support/until-found.ts';
import { seenHeader } from '../support/upstream.ts';
import { startWatchedGateway } from '../support/watched-gateway.ts';

let gateway: Awaited<ReturnType<typeof startWatchedGateway>>;
beforeAll(async () => {
  gateway = await startWatchedGateway(['--proxy-access-log', '/dev/stdout', '--log-level', 'debug']);
});
afterAll(async () => gateway.stop());

/** https://www.w3.org/TR/trace-context/ sections 3.2 and 3.3; a version to come may have more at its end. */
const traces: Readonly<Record<string, string>> = {
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7;x:y',
  baggage: 'userId=alice,serverNode=DF%2028;isProduction=false',
  b3: '80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1',
};
const apikey = 'bobs-key';

test('the trace context of a client goes to the service as it came', async () => {
  await gateway.ask('/', { apikey, ...traces });
  const [seen] = gateway.upstream.take();
  for (const [name, value] of Object.entries(traces)) expect([name, seenHeader(seen, name)]).toEqual([name, [value]]);
});

test('over HTTP/2 as well', async () => {
  const session = openHttp2(`http://127.0.0.1:${gateway.latchkey.proxyPort}`);
  expect((await askHttp2(session, { ':path': '/', apikey, ...traces })).status).toBe(200);
  const [seen] = gateway.upstream.take();
  for (const [name, value] of Object.entries(traces)) expect([name, seenHeader(seen, name)]).toEqual([name, [value]]);
});

test('what is no trace context is not ours to judge, and none is made up', async () => {
  await gateway.ask('/', { apikey, traceparent: 'ff-nonsense' });
  await gateway.ask('/', { apikey });
  const [stated, absent] = gateway.upstream.take();
  expect(seenHeader(stated, 'traceparent')).toEqual(['ff-nonsense']);
  expect(seenHeader(absent, 'traceparent')).toEqual([]);
});

test('one request id is in the answer, at the service and in both logs', async () => {
  const printed = printedSince(gateway.latchkey);
  const { headers } = await gateway.ask('/', { apikey, 'x-kong-request-id': 'of-the-client' });
  const id = String(headers['x-kong-request-id']);
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(seenHeader(gateway.upstream.take()[0], 'x-kong-request-id')).toEqual([id]);
  await printed.says(new RegExp(`"msg":"access","request_id":"${id}"`));
  expect(printed.text()).toMatch(new RegExp(`"attempt":\\{[^}]*"requestId":"${id}"`));
});

test('and in the body of an error', async () => {
  const printed = printedSince(gateway.latchkey);
  const { headers, body } = await gateway.ask('/dead');
  const { request_id: id } = JSON.parse(body.startsWith('{') ? body : '{}') as { request_id?: string };
  const told = id ?? /request_id: (\w+)/.exec(body)?.[1];
  expect(told).toBe(headers['x-kong-request-id']);
  await printed.says(new RegExp(`"msg":"access","request_id":"${told}"`));
});
