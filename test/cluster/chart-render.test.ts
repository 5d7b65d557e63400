import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  chart,
  containerOf,
  everything,
  only,
  template,
  tryTemplate,
  type Rendered,
  type Values,
} from '../support/chart.ts';
import { controlPlane, describeCluster, runProgram } from '../support/cluster-context.ts';

const root = join(chart, '..', '..');
const helm = (): string => controlPlane().programs.helm;

describeCluster('the chart renders', () => {
  test.for<[string, Values]>([
    ['with its defaults', {}],
    ['with everything on', everything],
    ['for some namespaces', { ingressController: { watchNamespaces: ['a', 'b'] } }],
    ['without a Service of its own', { proxy: { enabled: false }, ingressController: { createIngressClass: false } }],
  ])('%s, and helm lint has nothing to say', async ([, values]) => {
    const { code, stdout } = await runProgram(
      helm(),
      ['lint', '--strict', chart, '--values', '-'],
      JSON.stringify(values),
    );
    expect(stdout).not.toMatch(/\[(?:WARNING|ERROR)\]/);
    expect(code).toBe(0);
    expect((await template(helm(), values)).length).toBeGreaterThan(5);
  });

  test('a pod that the strictest pod security takes, started with every flag stated', async () => {
    const objects = await template(helm());
    const { args, env, ports } = containerOf(objects);
    expect(args).toEqual([
      'run',
      '--ingress-class=kong',
      '--publish-service=gateways/latchkey-proxy',
      '--update-status=true',
      '--emit-kubernetes-events=true',
      '--election-id=latchkey-leader-kong',
      '--election-namespace=gateways',
      '--proxy-listen=0.0.0.0:8000',
      '--https-listen=0.0.0.0:8443',
      '--port-maps=80:8000,443:8443',
      '--admin-listen=127.0.0.1:8001',
      '--admin-writes=false',
      '--status-listen=0.0.0.0:8100',
      '--workers=2',
      '--drain-delay-ms=5000',
      '--drain-timeout-ms=35000',
      '--log-level=info',
      '--log-format=json',
    ]);
    expect(env.map(({ name }) => name)).toEqual(['POD_NAME', 'POD_NAMESPACE']);
    expect(ports).toMatchObject([
      { name: 'proxy', containerPort: 8000 },
      { name: 'proxy-tls', containerPort: 8443 },
      { name: 'status', containerPort: 8100 },
    ]);
    expect(only(objects, 'Deployment').spec).toMatchObject({
      replicas: 2,
      strategy: { rollingUpdate: { maxUnavailable: 0 } },
      template: {
        spec: {
          automountServiceAccountToken: true,
          terminationGracePeriodSeconds: 45,
          securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              securityContext: {
                readOnlyRootFilesystem: true,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
              },
              livenessProbe: { httpGet: { path: '/healthz', port: 'status' } },
              readinessProbe: { httpGet: { path: '/readyz', port: 'status' } },
            },
          ],
        },
      },
    });
  });

  test('a flag of ingressController.env takes the place of the one that the chart sets', async () => {
    const values = {
      ingressController: { env: { publish_service: 'lb/edge', election_id: 'mine', ingress_class: 'ours' } },
    };
    const objects = await template(helm(), values);
    const { args, env } = containerOf(objects);
    expect(args.filter((arg) => /publish|election-id|ingress-class/.test(arg))).toEqual([]);
    expect(env).toEqual(
      expect.arrayContaining([
        { name: 'CONTROLLER_PUBLISH_SERVICE', value: 'lb/edge' },
        { name: 'CONTROLLER_ELECTION_ID', value: 'mine' },
        { name: 'CONTROLLER_INGRESS_CLASS', value: 'ours' },
      ]),
    );
    expect(only(objects, 'IngressClass').metadata.name).toBe('ours');
    expect(only(objects, 'Role').rules?.at(-1)).toMatchObject({ resourceNames: ['mine'] });
  });

  test('numbers and booleans become text where Kubernetes wants text', async () => {
    const objects = await template(helm(), {
      image: { tag: 20261125 },
      ingressController: { env: { drain_timeout_ms: 3_000_000, update_status: false } },
      podAnnotations: { 'example.com/port': 1_000_000, 'example.com/scrape': true },
      nodeSelector: { 'example.com/edge': true },
    });
    const { env, image } = containerOf(objects);
    expect(image).toBe('latchkey:20261125');
    expect(env).toEqual(
      expect.arrayContaining([
        { name: 'CONTROLLER_DRAIN_TIMEOUT_MS', value: '3000000' },
        { name: 'CONTROLLER_UPDATE_STATUS', value: 'false' },
      ]),
    );
    expect(only(objects, 'Deployment').spec).toMatchObject({
      template: {
        metadata: { annotations: { 'example.com/port': '1000000', 'example.com/scrape': 'true' } },
        spec: { nodeSelector: { 'example.com/edge': 'true' } },
      },
    });
  });

  test('without TLS nothing listens on its port, and nothing leads there', async () => {
    const values = { proxy: { tls: { enabled: false } }, networkPolicy: { enabled: true } };
    const objects = await template(helm(), values);
    expect(containerOf(objects).args).toContain('--https-listen=off');
    expect(containerOf(objects).ports.map(({ name }) => name)).toEqual(['proxy', 'status']);
    expect(JSON.stringify(objects)).not.toContain('proxy-tls');
    const withTls = await template(helm(), { networkPolicy: { enabled: true } });
    expect(only(withTls, 'NetworkPolicy').spec).toMatchObject({
      ingress: [{ ports: [{ port: 'proxy' }, { port: 'proxy-tls' }] }, { ports: [{ port: 'status' }] }],
    });
  });

  test('a default certificate is named in ingressController.env', async () => {
    const values = { ingressController: { env: { default_certificate: 'certs/wildcard' } } };
    expect(containerOf(await template(helm(), values)).env).toContainEqual({
      name: 'CONTROLLER_DEFAULT_CERTIFICATE',
      value: 'certs/wildcard',
    });
  });

  test('a ServiceMonitor that finds the status Service', async () => {
    const objects = await template(helm(), {
      serviceMonitor: { enabled: true, interval: '15s', namespace: 'watchers' },
    });
    const monitor = only(objects, 'ServiceMonitor');
    const found = objects.filter(
      ({ kind, metadata }) => kind === 'Service' && metadata.labels?.['app.kubernetes.io/component'] === 'status',
    );
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['latchkey-status']);
    expect(found[0]?.spec).toMatchObject({ type: 'ClusterIP', ports: [{ name: 'status' }] });
    expect(monitor.metadata.namespace).toBe('watchers');
    const { matchLabels } = (monitor.spec as { selector: { matchLabels: Record<string, string> } }).selector;
    expect(found[0]?.metadata.labels).toMatchObject(matchLabels);
    expect(monitor.spec).toMatchObject({
      endpoints: [{ port: 'status', path: '/metrics', interval: '15s' }],
      namespaceSelector: { matchNames: ['gateways'] },
    });
  });

  test('a dashboard and alerts where they are asked for, as they are in the chart', async () => {
    const none = (await template(helm())).map(({ kind }) => kind);
    expect(none.filter((kind) => kind === 'PrometheusRule' || kind === 'ConfigMap')).toEqual([]);
    const objects = await template(helm(), {
      prometheusRule: { enabled: true, namespace: 'watchers', labels: { release: 'prometheus' } },
      grafanaDashboard: { enabled: true, annotations: { grafana_folder: 'Gateways' } },
    });
    const rule = only(objects, 'PrometheusRule');
    expect(rule.metadata).toMatchObject({ namespace: 'watchers', labels: { release: 'prometheus' } });
    expect(rule.spec).toEqual({ groups: parse(await readFile(join(chart, 'files', 'alerts.yaml'), 'utf8')) });
    const dashboard = only(objects, 'ConfigMap') as Rendered & { readonly data: Readonly<Record<string, string>> };
    expect(dashboard.metadata).toMatchObject({
      namespace: 'gateways',
      labels: { grafana_dashboard: '1' },
      annotations: { grafana_folder: 'Gateways' },
    });
    const stored = JSON.parse(await readFile(join(chart, 'files', 'dashboard.json'), 'utf8')) as unknown;
    expect(JSON.parse(dashboard.data['latchkey.json'] ?? '')).toEqual(stored);
  });

  test.for<[string | number, string]>([
    ['1500m', '2'],
    ['200m', '1'],
    [3, '3'],
    ['0.5', '1'],
  ])('a cpu limit of %s makes %s workers', async ([cpu, workers]) => {
    expect(containerOf(await template(helm(), { resources: { limits: { cpu } } })).args).toContain(
      `--workers=${workers}`,
    );
  });

  test('namespaced: Roles in each namespace, nothing cluster-wide', async () => {
    const objects = await template(helm(), { ingressController: { watchNamespaces: ['a', 'b'] } });
    expect(objects.filter(({ kind }) => kind.startsWith('Cluster'))).toEqual([]);
    const roles = objects
      .filter(({ kind }) => kind === 'Role')
      .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    expect(roles.toSorted()).toEqual([
      'a/gateways-latchkey',
      'b/gateways-latchkey',
      'gateways/latchkey-leader',
      'gateways/latchkey-publish-service',
    ]);
    expect(containerOf(objects).args).toContain('--watch-namespace=a,b');
  });

  test('the grace period that an operator has leaves less time to drain', async () => {
    const { args } = containerOf(await template(helm(), { terminationGracePeriodSeconds: 30 }));
    expect(args).toContain('--drain-timeout-ms=20000');
  });

  test('whatever is ignored of a values file of Kong’s is taken, and changes nothing', async () => {
    const text = await readFile(join(chart, 'files', 'ignored-values.yaml'), 'utf8');
    const ignored: Record<string, unknown> = {};
    for (const path of Object.keys(parse(text) as object)) {
      const names = path.split('.');
      const last = names.pop() ?? '';
      let place = ignored;
      for (const name of names) place = (place[name] ??= {}) as Record<string, unknown>;
      place[last] = { enabled: true, text: 'x' };
    }
    expect(await template(helm(), ignored)).toEqual(await template(helm()));
  });

  test('deploy/latchkey.yaml is the chart with its defaults', async () => {
    const script = join(root, 'scripts', 'render-deploy.ts');
    const { code, stderr } = await runProgram('/usr/bin/env', [`HELM=${helm()}`, process.execPath, script, '--check']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  test('the rules are those that the kinds ask for', async () => {
    const script = join(root, 'scripts', 'generate-rbac.ts');
    const { code, stderr } = await runProgram(process.execPath, [script, '--check']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  test('its version is that of the program', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(parse(await readFile(join(chart, 'Chart.yaml'), 'utf8'))).toMatchObject({ version, appVersion: version });
  });
});

describeCluster('the chart refuses', () => {
  test.for<[string, Values, string]>([
    ['a misspelt value', { replicaCont: 3 }, "additional properties 'replicaCont' not allowed"],
    [
      'a misspelt part',
      { proxy: { http: { port: 80 } } },
      "at '/proxy/http': additional properties 'port' not allowed",
    ],
    [
      'a flag that nobody knows',
      { ingressController: { env: { publish_servce: 'a/b' } } },
      "'publish_servce' not allowed",
    ],
    ['a level that there is not', { log: { level: 'loud' } }, "at '/log/level': value must be one of"],
    ['no workers', { workers: 0 }, "at '/workers': minimum: got 0, want 1"],
    [
      'a port that needs privilege',
      { proxy: { http: { containerPort: 80 } } },
      "at '/proxy/http/containerPort': minimum",
    ],
    ['a DaemonSet', { deployment: { daemonset: true } }, "at '/deployment/daemonset': value must be false"],
    [
      'an image of Kong’s',
      { image: { repository: 'kong/kong-gateway' } },
      'image.repository is kong/kong-gateway, an image of Kong',
    ],
    [
      'writes without an Admin API',
      { adminApi: { enabled: false, writes: true } },
      'there is nothing that could write',
    ],
    [
      'a drain that is cut short',
      { drain: { timeoutMs: 60_000 } },
      'terminationGracePeriodSeconds 45 is too short: drain.delayMs 5000 and drain.timeoutMs 60000 take longer',
    ],
    ['a grace period without time to drain', { terminationGracePeriodSeconds: 6 }, 'leaves no time to drain'],
  ])('%s', async ([, values, message]) => {
    const { code, stderr } = await tryTemplate(helm(), values);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });
});
