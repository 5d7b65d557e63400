/** Requests to several real endpoints of one Service: who gets which. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { send, type ReceivedAnswer } from '../support/client.ts';
import { startLatchkey } from '../support/latchkey-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startUpstream } from '../support/upstream.ts';

const slice = (port: number): string => `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: s-${port}, labels: { kubernetes.io/service-name: s } }
addressType: IPv4
endpoints: [{ addresses: [127.0.0.1] }]
ports: [{ port: ${port} }]
`;

const manifests = (spec: string, ports: readonly number[]): string => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: a }
spec:
  ingressClassName: kong
  rules: [{ http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: s, port: { number: 80 } } } }] } }]
---
apiVersion: v1
kind: Service
metadata: { name: s, annotations: { konghq.com/upstream-policy: balanced } }
spec: { ports: [{ port: 80 }] }
---
apiVersion: configuration.konghq.com/v1beta1
kind: KongUpstreamPolicy
metadata: { name: balanced }
spec: ${spec}
${ports.map(slice).join('')}`;

/** Three endpoints under a policy, and two workers, so that what one knows the other has to find as well. */
async function startBalanced(spec: string, workers = 2) {
  const upstreams = [await startUpstream(), await startUpstream(), await startUpstream()];
  onTestFinished(async () => void (await Promise.all(upstreams.map(async (upstream) => upstream.close()))));
  const dir = temporaryFolder();
  writeFileSync(
    join(dir, 'all.yaml'),
    manifests(
      spec,
      upstreams.map(({ port }) => port),
    ),
  );
  const latchkey = await startLatchkey(['run', '--dir', dir, '--workers', String(workers)]);
  onTestFinished(async () => void (await latchkey.stop()));
  const ask = async (path: string, headers: [string, string][] = []): Promise<ReceivedAnswer> =>
    send({ port: latchkey.proxyPort, method: 'GET', path, headers });
  /** Which of the upstreams got the requests since it was asked last, each once. */
  const reached = (): number[] => upstreams.flatMap((upstream, i) => (upstream.take().length > 0 ? [i] : []));
  /** The upstream that a request reaches. */
  const owner = async (headers: [string, string][]): Promise<number> => {
    expect((await ask('/', headers)).status).toBe(200);
    return reached()[0] ?? -1;
  };
  return { upstreams, ask, reached, owner };
}

test('requests of one header value reach one endpoint whichever worker gets them, others spread', async () => {
  const { owner } = await startBalanced('{ algorithm: consistent-hashing, hashOn: { header: X-User } }');
  const owners = new Set<number>();
  // So many that by chance too each endpoint is somebody's.
  for (let user = 0; user < 60; user += 1) {
    const asked = [];
    for (let i = 0; i < 2; i += 1) asked.push(await owner([['X-User', `user-${user}`]]));
    expect(new Set(asked).size).toBe(1);
    owners.add(asked[0] ?? -1);
  }
  expect(owners.size).toBe(3);
});

test('a client that sends back its cookie stays at its endpoint', async () => {
  const { ask, reached, owner } = await startBalanced(
    '{ algorithm: consistent-hashing, hashOn: { cookie: at, cookiePath: / } }',
  );
  for (let client = 0; client < 5; client += 1) {
    const answer = await ask('/');
    const [first] = reached();
    const [cookie = ''] = String(answer.headers['set-cookie']).split(';');
    expect(cookie).toMatch(/^at=/);
    expect(await owner([['Cookie', cookie]])).toBe(first);
    expect(await owner([['Cookie', `a=1; ${cookie}`]])).toBe(first);
  }
});

test('endpoints get requests in turn', async () => {
  const { upstreams, ask } = await startBalanced('{ algorithm: round-robin }', 1);
  for (let i = 0; i < 12; i += 1) await ask('/');
  expect(upstreams.map((upstream) => upstream.take().length)).toEqual([4, 4, 4]);
});
