/** The chart, as helm renders it. */
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { runProgram, type CommandResult } from './cluster-context.ts';

export const chart = join(import.meta.dirname, '..', '..', 'charts', 'latchkey');

/** Values of the chart; helm takes JSON as the YAML it is. */
export type Values = Readonly<Record<string, unknown>>;

/** A rendered object, as far as tests look at it. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly rules?: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

/** The container of the rendered Deployment, as far as tests look at it. */
export interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
}

/** `helm template` in the namespace `gateways`, whatever comes of it. */
export async function tryTemplate(helm: string, values: Values = {}, folder = chart): Promise<CommandResult> {
  const args = ['template', 'latchkey', folder, '--namespace', 'gateways', '--values', '-'];
  return runProgram(helm, args, JSON.stringify(values));
}

/** The objects of a text of YAML documents. */
export function objectsOf(text: string): Rendered[] {
  return parseAllDocuments(text).flatMap((document) => {
    const object = document.toJS() as Rendered | null;
    return object === null ? [] : [object];
  });
}

/** The objects that helm renders. @throws Error with what helm says when it refuses */
export async function template(helm: string, values: Values = {}, folder = chart): Promise<Rendered[]> {
  const { code, stdout, stderr } = await tryTemplate(helm, values, folder);
  if (code !== 0) throw new Error(stderr);
  return objectsOf(stdout);
}

/** The one object of this kind. */
export function only(objects: readonly Rendered[], kind: string): Rendered {
  const found = objects.filter((object) => object.kind === kind);
  const [object] = found;
  if (object === undefined || found.length > 1) throw new Error(`${found.length} objects of kind ${kind}`);
  return object;
}

/** The one container that the Deployment runs. */
export function containerOf(objects: readonly Rendered[]): Container {
  const { template: pod } = only(objects, 'Deployment').spec as {
    template: { spec: { containers: readonly [Container] } };
  };
  return pod.spec.containers[0];
}

/** Every part of the chart that is optional, switched on. */
export const everything: Values = {
  replicaCount: 3,
  adminApi: { writes: true },
  autoscaling: { enabled: true, behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } },
  networkPolicy: {
    enabled: true,
    statusFrom: [{ namespaceSelector: { matchLabels: { team: 'monitoring' } } }],
    egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }],
  },
  podDisruptionBudget: { minAvailable: '50%' },
  priorityClassName: 'system-cluster-critical',
  ingressController: {
    ingressClassAnnotations: { 'ingressclass.kubernetes.io/is-default-class': true },
    env: { apiserver_qps: 50, log_level: { valueFrom: { configMapKeyRef: { name: 'settings', key: 'level' } } } },
    args: ['--apiserver-burst=99'],
    envFrom: [{ configMapRef: { name: 'more', optional: true } }],
    customEnv: { TZ: 'Europe/Berlin' },
  },
  customEnv: { NODE_OPTIONS: '--max-old-space-size=512' },
  image: { repository: 'registry.example/team/latchkey', tag: 2, pullSecrets: ['registry'] },
  proxy: {
    type: 'NodePort',
    http: { nodePort: 32080, hostPort: 8080 },
    tls: { nodePort: 32443, hostPort: 8443 },
    annotations: { 'example.com/internal': true },
    externalTrafficPolicy: 'Local',
  },
  extraLabels: { team: 'edge' },
  podLabels: { zone: 'a' },
  podAnnotations: { 'example.com/scrape': 'yes' },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'edge', operator: 'Exists' }],
  affinity: { podAntiAffinity: {} },
  dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
  resources: { limits: { cpu: '1500m' } },
  extraObjects: [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'extra', namespace: 'gateways' },
      data: { a: '{{ not a template }}' },
    },
  ],
};
