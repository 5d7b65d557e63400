import { allKinds } from './all-kinds.ts';
import type { Kind } from './kind.ts';

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/cluster-role-v1/ */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export interface GrantOptions {
  /** What the Admin API writes is granted too. */
  readonly adminWrites: boolean;
  /** `Cluster` for a ClusterRole; `Namespaced` for Roles, which cannot grant kinds without a namespace. */
  readonly scope: Kind['scope'];
}

const reading = ['get', 'list', 'watch'];

/** One rule for each group of resources that are granted the same verbs, in the order they are named first. */
function gathered(grants: readonly { group: string; resource: string; verbs: readonly string[] }[]): PolicyRule[] {
  const rules = new Map<string, { apiGroups: string[]; resources: string[]; verbs: readonly string[] }>();
  for (const { group, resource, verbs } of grants) {
    const key = JSON.stringify([group, verbs]);
    const rule = rules.get(key) ?? { apiGroups: [group], resources: [], verbs };
    rule.resources.push(resource);
    rules.set(key, rule);
  }
  return [...rules.values()];
}

/** What Latchkey must be allowed to do, and nothing else: the chart's RBAC is made from this. */
export function grantsFor({ adminWrites, scope }: GrantOptions): PolicyRule[] {
  const kinds = allKinds.filter((kind) => scope === 'Cluster' || kind.scope === 'Namespaced');
  const grant = ({ group }: Kind, resource: string, verbs: readonly string[]) => ({ group, resource, verbs });
  const watched = kinds.map((kind) => grant(kind, kind.plural, reading));
  const reported = kinds
    .filter((kind) => kind.status !== undefined)
    .map((kind) => grant(kind, `${kind.plural}/status`, ['patch']));
  const events = { group: 'events.k8s.io', resource: 'events', verbs: ['create', 'patch'] };
  const written = kinds.flatMap((kind) =>
    kind.adminVerbs === undefined ? [] : [grant(kind, kind.plural, kind.adminVerbs)],
  );
  return [
    ...gathered(watched),
    ...gathered(reported),
    ...gathered([events]),
    ...(adminWrites ? gathered(written) : []),
  ];
}
