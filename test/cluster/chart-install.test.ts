import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chart, everything, objectsOf, template, type Values } from '../support/chart.ts';
import { commandsFor, describeCluster } from '../support/cluster-context.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A definition with everything in it that a template could stumble over. */
const gadgets = (text: string): string => `# A comment.
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gadgets.example.com
spec:
  group: example.com
  names: { kind: Gadget, listKind: GadgetList, plural: gadgets, singular: gadget }
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          description: ${JSON.stringify(text)}
          properties:
            size: { type: integer, maximum: 12345678, default: 1000000 }
`;
const tricky = 'A template would stumble: {{ .Values.nothing }} {{- fail "no" -}} $1 \\1 100%';
const definition = 'customresourcedefinition/gadgets.example.com';
const description = '.spec.versions[0].schema.openAPIV3Schema.description';

/** A copy of the chart with that one definition. */
async function chartWith(crd: string): Promise<string> {
  const folder = join(temporaryFolder(), 'latchkey');
  await cp(chart, folder, { recursive: true });
  await rm(join(folder, 'files', 'crds'), { recursive: true, force: true });
  await mkdir(join(folder, 'files', 'crds'));
  await writeFile(join(folder, 'files', 'crds', 'gadgets.yaml'), crd);
  return folder;
}

describeCluster('the chart on a real API server', () => {
  let controlPlane: ControlPlane;
  let commands: ReturnType<typeof commandsFor>;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    commands = commandsFor(controlPlane.access);
    for (const namespace of ['gateways', 'a', 'b']) await commands.kubectl(['create', 'namespace', namespace]);
  });
  afterAll(async () => controlPlane.stop());

  const release = async (verb: 'install' | 'upgrade', name: string, folder = chart, values: Values = {}) =>
    commands.tryHelm([verb, name, folder, '--namespace', 'gateways', '--values', '-'], JSON.stringify(values));
  const installed = async (...parameters: Parameters<typeof release>): Promise<string> => {
    const { code, stdout, stderr } = await release(...parameters);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };
  const uninstall = async (name: string) => commands.helm(['uninstall', name, '--namespace', 'gateways']);
  const field = async (object: string, path: string) =>
    commands.kubectl(['get', object, '--namespace', 'gateways', '--output', `jsonpath={${path}}`]);

  test.for<[string, Values]>([
    ['its defaults', {}],
    ['everything on', everything],
    ['some namespaces', { ingressController: { watchNamespaces: ['a', 'b'] }, adminApi: { writes: true } }],
  ])('takes what is rendered with %s, without a warning', async ([, values]) => {
    const labels = ['pod-security.kubernetes.io/warn=restricted', 'pod-security.kubernetes.io/enforce=restricted'];
    // A port of the node is what `restricted` forbids.
    const { http, tls, ...more } = (values['proxy'] ?? {}) as Values;
    const off = [http, tls].map((port) => ({ ...(port as object | undefined), hostPort: null }));
    const proxy = { proxy: { ...more, http: off[0], tls: off[1] } };
    await commands.kubectl(['label', 'namespace', 'gateways', '--overwrite', ...labels]);
    const objects = await template(controlPlane.access.programs.helm, { ...values, ...proxy });
    const { code, stderr } = await commands.tryKubectl(
      ['apply', '--server-side', '--dry-run=server', '--filename', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  test('deploy/latchkey.yaml is taken as it is', async () => {
    const path = join(chart, '..', '..', 'deploy', 'latchkey.yaml');
    const text = await readFile(path, 'utf8');
    expect(text).not.toMatch(/helm/i);
    await commands.kubectl(['apply', '--server-side', '--filename', path]);
    expect(await commands.kubectl(['diff', '--server-side', '--filename', path])).toBe('');
    await commands.kubectl(['delete', '--wait=false', '--filename', path]);
    expect(objectsOf(text).length).toBeGreaterThan(8);
  });

  test('is installed, upgraded and uninstalled; the notes tell the next commands, which work', async () => {
    const notes = await installed('install', 'latchkey');
    const next = [...notes.matchAll(/^ {3}kubectl (.*)$/gm)].map(([, command = '']) => command);
    expect(next).toEqual([
      'rollout status deployment/latchkey --namespace gateways', // no kubelet here: its pods never run
      'get service latchkey-proxy --namespace gateways',
      'get ingresses,kongconsumers,kongplugins --all-namespaces',
      'port-forward deployment/latchkey 8001 --namespace gateways', // nor has it a port
    ]);
    expect(await commands.kubectl((next[1] ?? '').split(' '))).toContain('latchkey-proxy');
    await commands.kubectl([
      'wait',
      '--for=condition=Established',
      'customresourcedefinitions',
      '--all',
      '--timeout=60s',
    ]);
    expect(await commands.tryKubectl((next[2] ?? '').split(' '))).toMatchObject({
      code: 0,
      stderr: 'No resources found\n',
    });
    const rollout = await commands.tryKubectl([...(next[0] ?? '').split(' '), '--watch=false']);
    expect(rollout).toMatchObject({ code: 0, stdout: expect.stringContaining('Waiting for deployment') as unknown });
    expect(await field('ingressclass/kong', '.spec.controller')).toBe('ingress-controllers.konghq.com/kong');
    expect(notes).not.toContain('were ignored');

    await installed('upgrade', 'latchkey', chart, everything);
    expect(await field('deployment/latchkey', '.spec.template.spec.containers[0].image')).toBe(
      'registry.example/team/latchkey:2',
    );
    await installed('upgrade', 'latchkey', chart, { ingressController: { watchNamespaces: ['a'] } });
    const left = await commands.kubectl([
      'get',
      'clusterroles',
      '--selector',
      'app.kubernetes.io/name=latchkey',
      '--output=name',
    ]);
    expect(left).toBe('');

    await uninstall('latchkey');
    const kinds =
      'deployments,services,serviceaccounts,roles,rolebindings,clusterroles,ingressclasses,poddisruptionbudgets';
    const selector = 'app.kubernetes.io/name=latchkey';
    expect(await commands.kubectl(['get', kinds, '-A', '--selector', selector, '--output=name'])).toBe('');
  });

  test('the notes say which values of Kong’s chart were ignored, and why', async () => {
    const notes = await installed('install', 'kongs', chart, {
      env: { database: 'off', router_flavor: 'traditional' },
      deployment: { kong: { enabled: true }, daemonset: false },
      image: { pullPolicy: 'IfNotPresent' },
      proxy: { http: { enabled: true, parameters: [] }, tls: { enabled: true, parameters: ['http2'] } },
      ingressController: {
        enabled: true,
        env: { kong_admin_tls_skip_verify: true, log_level: 'debug' },
        admissionWebhook: { enabled: true },
        resources: {},
      },
      readinessProbe: { httpGet: { path: '/status/ready' }, periodSeconds: 7 },
    });
    const list = notes.slice(notes.indexOf('were ignored'));
    const ignored = [...list.matchAll(/^ {3}([\w.]+): /gm)].map(([, value = '']) => value);
    expect(ignored.toSorted()).toEqual([
      'env',
      'ingressController.admissionWebhook',
      'ingressController.env.kong_admin_tls_skip_verify',
      'proxy.tls.parameters',
      'readinessProbe.httpGet',
    ]);
    expect(
      await field('deployment/kongs-latchkey', '.spec.template.spec.containers[0].readinessProbe.httpGet.path'),
    ).toBe('/readyz');
    expect(
      await field('deployment/kongs-latchkey', '.spec.template.spec.containers[0].readinessProbe.periodSeconds'),
    ).toBe('7');
    await uninstall('kongs');
  });

  test('brings definitions along, upgrades them, and leaves them there when it goes', async () => {
    await installed('install', 'latchkey', await chartWith(gadgets(tricky)));
    expect(await field(definition, description)).toBe(tricky);
    expect(await field(definition, '.metadata.annotations.helm\\.sh/resource-policy')).toBe('keep');
    await commands.kubectl(['wait', '--for=condition=Established', definition, '--timeout=60s']);
    await commands.apply({ apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name: 'mine' }, size: 7 });

    await installed('upgrade', 'latchkey', await chartWith(gadgets('newer')));
    expect(await field(definition, description)).toBe('newer');

    await commands.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], gadgets('by hand'));
    const newest = await chartWith(gadgets('newest'));
    expect((await release('upgrade', 'latchkey', newest)).stderr).toContain('conflict with "kubectl"');
    await commands.helm(['upgrade', 'latchkey', newest, '--namespace', 'gateways', '--force-conflicts']);
    expect(await field(definition, description)).toBe('newest');

    await uninstall('latchkey');
    expect(await commands.kubectl(['get', 'gadget', 'mine', '--output=jsonpath={.size}'])).toBe('7');
    await installed('install', 'latchkey', await chartWith(gadgets('again')));
    expect(await field(definition, description)).toBe('again');
    await installed('upgrade', 'latchkey', await chartWith(gadgets('again')), { crds: { install: false } });
    await uninstall('latchkey');
    expect(await commands.kubectl(['get', 'gadget', 'mine', '--output=jsonpath={.size}'])).toBe('7');
    await commands.kubectl(['delete', definition]);
  });

  test.for([
    ['without annotations', gadgets('theirs')],
    [
      'of another release',
      gadgets('theirs').replace(
        'metadata:',
        'metadata:\n  annotations: { meta.helm.sh/release-name: kong, meta.helm.sh/release-namespace: kong }',
      ),
    ],
  ])(
    'leaves definitions and an IngressClass that were there before as they are, and says so (%s)',
    async ([, theirs = '']) => {
      await commands.kubectl(['apply', '--filename', '-'], theirs);
      const ingressClass = { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'kong' } };
      await commands.apply({ ...ingressClass, spec: { controller: 'example.com/theirs' } });
      for (const verb of ['install', 'upgrade'] as const) {
        const notes = await installed(verb, 'latchkey', await chartWith(gadgets('ours')));
        expect(notes).toContain('gadgets.example.com');
        expect(notes).toContain('kubectl apply --server-side --force-conflicts -f crds/');
        expect(notes).toContain('The IngressClass "kong" was in the cluster before');
      }
      expect(await field(definition, description)).toBe('theirs');

      // Given to the release, as docs/install.md tells.
      const owner = ['meta.helm.sh/release-name=latchkey', 'meta.helm.sh/release-namespace=gateways'];
      await commands.kubectl(['annotate', '--overwrite', definition, ...owner]);
      await commands.kubectl(['label', '--overwrite', definition, 'app.kubernetes.io/managed-by=Helm']);
      const ours = await chartWith(gadgets('ours'));
      await commands.helm(['upgrade', 'latchkey', ours, '--namespace', 'gateways', '--force-conflicts']);
      expect(await field(definition, description)).toBe('ours');

      await uninstall('latchkey');
      expect(await field(definition, '.metadata.name')).toBe('gadgets.example.com');
      expect(await field('ingressclass/kong', '.spec.controller')).toBe('example.com/theirs');
      await commands.kubectl(['delete', definition, 'ingressclass/kong']);
    },
  );

  test('its own definitions are those in crds/, which may be applied over them at any time', async () => {
    const rendered = (await template(controlPlane.access.programs.helm)).filter(
      ({ kind }) => kind === 'CustomResourceDefinition',
    );
    const folder = join(chart, '..', '..', 'crds');
    const files = await Promise.all((await readdir(folder)).map(async (file) => readFile(join(folder, file), 'utf8')));
    const written = files.flatMap(objectsOf);
    expect(rendered.length).toBeGreaterThan(3);
    for (const { metadata, ...crd } of rendered) {
      expect(metadata.annotations).toMatchObject({ 'helm.sh/resource-policy': 'keep' });
      expect(written.find((other) => other.metadata.name === metadata.name)).toMatchObject(crd);
    }
    expect(written.map(({ metadata }) => metadata.name).toSorted()).toEqual(
      rendered.map(({ metadata }) => metadata.name).toSorted(),
    );

    await installed('install', 'latchkey');
    await commands.kubectl(['apply', '--server-side', '--force-conflicts', '-f', folder]);
    await installed('upgrade', 'latchkey', chart, { replicaCount: 1 });
    await uninstall('latchkey');
    await commands.kubectl(['get', ...written.map(({ metadata }) => `customresourcedefinition/${metadata.name}`)]);
  });
});
