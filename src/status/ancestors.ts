/**
 * The status of a policy: what is said of each of its uses (kong-facts 4.1, after the policies of the Gateway
 * API, https://gateway-api.sigs.k8s.io/geps/gep-713/). The list is one field of the object, so whoever writes it
 * writes what other controllers say as well.
 */
import { apiVersionOf } from '#resources/kind.ts';
import { kindNamed } from '#resources/all-kinds.ts';
import type { Ref } from '#resources/ref.ts';
import type { Verdict } from '#resources/verdict.ts';
import { conditionIn, conditionOf, programmed, says, sayingOf, type Condition, type Saying } from './conditions.ts';

export interface Ancestor {
  readonly ancestorRef: {
    readonly group: string;
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
  };
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

/** As many as the API server takes; the oldest uses are kept (kong-facts 4.1). */
const mostAncestors = 16;
const accepted = 'Accepted';

/** By which the items of a list are told apart from those of other controllers. */
export function controllerNameOf(ingressClass: string): string {
  return `latchkey.dev/${ingressClass}`;
}

/** What the status of a policy says, whatever it looks like. */
function ancestorsIn(status: unknown): readonly Ancestor[] {
  const { ancestors } = (status ?? {}) as { readonly ancestors?: unknown };
  return Array.isArray(ancestors) ? (ancestors as Ancestor[]) : [];
}

function ancestorRefOf({ kind, namespace, name }: Ref): Ancestor['ancestorRef'] {
  const apiVersion = apiVersionOf(kindNamed(kind));
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
  return { group, kind, namespace, name };
}

const isSame = (a: Ancestor['ancestorRef'], b: Ancestor['ancestorRef']): boolean =>
  a.group === b.group && a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;

function sayings(verdict: Verdict): ReadonlyMap<string, Saying> {
  const observed = verdict.generation === undefined ? {} : { observedGeneration: verdict.generation };
  const isAccepted: Saying = { status: 'True', reason: accepted, message: 'The policy is read.', ...observed };
  return new Map([
    [accepted, isAccepted],
    [programmed, sayingOf(verdict)],
  ]);
}

/**
 * The list as it should be; undefined when it is so. What other controllers say comes first and stays as it is.
 */
export function ancestorsOf(verdict: Verdict, status: unknown, how: { controllerName: string; now: Date }) {
  const found = ancestorsIn(status);
  const others = found.filter(({ controllerName }) => controllerName !== how.controllerName);
  const room = Math.max(0, mostAncestors - others.length);
  const said = sayings(verdict);
  const users = (verdict.ancestors ?? []).slice(0, room).map((user) => {
    const ancestorRef = ancestorRefOf(user);
    const before = found.find(
      (item) => item.controllerName === how.controllerName && isSame(item.ancestorRef, ancestorRef),
    );
    return { ancestorRef, before };
  });
  const isTrue = users.every(({ before }) =>
    [...said].every(([type, saying]) => says(conditionIn(before, type), saying)),
  );
  if (isTrue && found.length === others.length + users.length) return undefined;
  const ours = users.map(({ ancestorRef, before }): Ancestor => {
    const conditions = [...said].map(([type, saying]) => conditionOf(type, saying, conditionIn(before, type), how.now));
    return { ancestorRef, controllerName: how.controllerName, conditions };
  });
  return [...others, ...ours];
}
