import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { chart, containerOf, objectsOf, only, template, type Values } from '../support/chart.ts';
import { commandsFor, controlPlane, describeCluster, runProgram } from '../support/cluster-context.ts';
import { freePort } from '../support/free-port.ts';
import { startLatchkey } from '../support/latchkey-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = join(chart, '..', '..');
const inKind = (file: string): string => join(root, 'deploy', 'kind', file);
const read = async (file: string): Promise<unknown> => parse(await readFile(inKind(file), 'utf8'));

interface KindCluster {
  readonly nodes: readonly { readonly extraPortMappings: readonly { containerPort: number; hostPort: number }[] }[];
}

// kind and its node image are not to be had in a test: what they are given is checked here, each part for itself.
describe('the script for kind', () => {
  test('runs the tutorial of the README, and fails when an answer is another', async () => {
    const dir = join(temporaryFolder(), 'quickstart');
    const latchkey = await startLatchkey(['quickstart', '--dir', dir, '--echo-port', String(await freePort())]);
    onTestFinished(async () => void (await latchkey.stop()));
    const where = [`PROXY=127.0.0.1:${latchkey.proxyPort}`, `ADMIN=127.0.0.1:${latchkey.adminPort}`];
    const tutorial = async () => runProgram('/usr/bin/env', [...where, inKind('tutorial.sh')]);

    const first = await tutorial();
    expect(first.stderr).toBe('');
    expect(first.stdout).toMatch(/tutorial: \d+ steps, all answered as the README says\n$/);
    expect(first.code).toBe(0);

    // The route is not open any more, which is what the first step expects.
    const second = await tutorial();
    expect(second.stderr).toContain('tutorial: expected 200');
    expect(second.code).toBe(1);
  });

  test('is a shell script as POSIX has them', async () => {
    for (const script of ['try.sh', 'tutorial.sh'])
      expect(await runProgram('/bin/sh', ['-n', inKind(script)])).toMatchObject({ code: 0, stderr: '' });
  });
});

describeCluster('what the script gives to kind', () => {
  test('a proxy where the node has its port, in the image that is loaded', async () => {
    const objects = await template(controlPlane().programs.helm, (await read('values.yaml')) as Values);
    const { nodes } = (await read('cluster.yaml')) as KindCluster;
    const proxy = objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'latchkey-proxy');
    const mapped = nodes.flatMap(({ extraPortMappings }) => extraPortMappings);
    expect(proxy?.spec).toMatchObject({
      type: 'NodePort',
      ports: mapped.map(({ containerPort }) => ({ nodePort: containerPort })),
    });
    expect(mapped.map(({ hostPort }) => hostPort)).toEqual([8000, 8443]);
    expect(containerOf(objects)).toMatchObject({
      image: 'latchkey:kind',
      args: expect.arrayContaining(['--admin-writes=true', '--admin-listen=127.0.0.1:8001']) as unknown,
    });
    const upstream = containerOf(objectsOf(await readFile(inKind('mocking.yaml'), 'utf8')));
    expect(upstream.image).toBe('latchkey:kind');
  });

  test('an upstream that takes the place of the example’s, again and again', async () => {
    const { kubectl, tryKubectl } = commandsFor(controlPlane());
    await kubectl(['create', 'namespace', 'kind']);
    await kubectl(['label', 'namespace', 'kind', 'pod-security.kubernetes.io/warn=restricted']);
    onTestFinished(async () => void (await kubectl(['delete', 'namespace', 'kind', '--wait=false'])));
    const [example, upstream] = await Promise.all(
      [join(root, 'examples', 'quickstart', 'mocking.yaml'), inKind('mocking.yaml')].map(async (path) =>
        readFile(path, 'utf8'),
      ),
    );
    const both = `${example}\n---\n${upstream}`.replaceAll('namespace: default', 'namespace: kind');
    for (let time = 0; time < 2; time += 1) {
      const { code, stderr } = await tryKubectl(['apply', '--filename', '-'], both);
      expect(stderr).toBe('');
      expect(code).toBe(0);
    }
    const service = JSON.parse(
      await kubectl(['get', 'service', 'mocking', '--namespace', 'kind', '--output=json']),
    ) as {
      spec: { type: string; selector: object; externalName?: string };
    };
    const pod = (only(objectsOf(upstream ?? ''), 'Deployment').spec as { template: { metadata: { labels: object } } })
      .template;
    expect(service.spec).toMatchObject({ type: 'ClusterIP', selector: pod.metadata.labels });
    expect(service.spec.externalName).toBeUndefined();
  });
});
