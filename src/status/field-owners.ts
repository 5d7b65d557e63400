/**
 * Field managers, by which server-side apply knows who wrote what, and of whom we take fields over.
 * docs/decisions/0005-our-own-condition.md
 */
import type { KubernetesObject } from '#resources/kind.ts';

const prefix = 'latchkey-status-';

/** Ours. One for each class, so that two Latchkeys of different classes are two to the API server. */
export function fieldManagerOf(ingressClass: string): string {
  return `${prefix}${ingressClass}`.slice(0, 128); // the API server's limit
}

/** Ours where every replica writes: of fields that the leader's manager does not have. */
export function lastUsedManagerOf(ingressClass: string): string {
  return `latchkey-last-used-${ingressClass}`.slice(0, 128);
}

/**
 * The managers that an answer 409 names: `Apply failed with 1 conflict: conflict with "kubectl-edit" with
 * subresource "status" using …`.
 */
export function managersIn(message: string): string[] {
  const names = [...message.matchAll(/conflicts? with "([^"]+)"/g)].map(([, name]) => name ?? '');
  return [...new Set(names)];
}

/**
 * What people edit a status with, never a controller; `before-first-apply` stands for whoever wrote when
 * nobody kept account.
 */
const personsTool = /^(kubectl|k9s|curl|before-first-apply)/;

/**
 * Whether to take fields from another manager: from a person's tool always; from a Latchkey of another
 * class when ours comes first in the alphabet, so that of any two exactly one yields.
 */
export function mayTakeFrom(manager: string, ours: string): boolean {
  if (manager.startsWith(prefix)) return ours <= manager;
  return personsTool.test(manager);
}

/** https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
interface ManagedFields {
  readonly manager?: string;
  readonly fieldsV1?: {
    readonly 'f:status'?: { readonly 'f:conditions'?: Readonly<Record<string, object>> };
  };
}

/**
 * The fields of a condition that a manager holds and nobody else, `type` standing for the condition as a
 * whole. They would vanish if the manager applied without them, and the condition with them.
 */
export function fieldsHeldAlone(object: KubernetesObject, manager: string, type: string): string[] {
  const entries = (object.metadata as { readonly managedFields?: readonly ManagedFields[] }).managedFields ?? [];
  const held = (isWanted: (by: string | undefined) => boolean): Set<string> => {
    const wanted = entries.filter((entry) => isWanted(entry.manager));
    const fields = wanted.map(
      ({ fieldsV1 }) => fieldsV1?.['f:status']?.['f:conditions']?.[`k:${JSON.stringify({ type })}`],
    );
    return new Set(
      fields.flatMap((some) => Object.keys(some ?? {})).map((key) => (key === '.' ? 'type' : key.slice(2))),
    );
  };
  return [...held((by) => by === manager).difference(held((by) => by !== manager))];
}
