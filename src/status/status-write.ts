import { kindNamed } from '#resources/all-kinds.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import type { Verdict } from '#resources/verdict.ts';
import { addressesIn, sameAddresses, type Address } from './addresses.ts';
import { ancestorsOf, controllerNameOf } from './ancestors.ts';
import { createConditionWrite, type ConditionWriteOptions } from './condition-write.ts';
import { fieldManagerOf } from './field-owners.ts';
import { createStatusApply } from './status-apply.ts';

export interface StatusWriteOptions extends Omit<ConditionWriteOptions, 'apply'> {
  /** Addresses that Ingresses get by now; none while they are not known. */
  addresses(): readonly Address[];
}

/** Gives the milliseconds after which to look again, if one has to. */
type Write = () => Promise<number | undefined>;

/** Brings the status of one object to what its verdict says, and writes only when the two differ. */
export function createStatusWrite(options: StatusWriteOptions) {
  const { api, ingressClass, latest, turn, addresses } = options;
  const apply = createStatusApply(api, fieldManagerOf(ingressClass), latest);
  const controllerName = controllerNameOf(ingressClass);
  const conditions = createConditionWrite({ ...options, apply });

  const needsAddresses = (object: KubernetesObject, { problems }: Verdict): boolean =>
    addresses().length > 0 &&
    problems.every(({ effect }) => effect !== 'object not in force') &&
    !sameAddresses(addressesIn(object['status']), addresses());

  const planAddresses = (object: KubernetesObject, verdict: Verdict): Write | undefined => {
    if (!needsAddresses(object, verdict)) return undefined;
    return async () => {
      await apply(verdict.ref, object, { status: { loadBalancer: { ingress: addresses() } }, force: true });
      return undefined;
    };
  };

  const planAncestors = (object: KubernetesObject, verdict: Verdict): Write | undefined => {
    if ((object.metadata.generation ?? 0) > (verdict.generation ?? 0)) return undefined;
    const ancestors = ancestorsOf(verdict, object['status'], { controllerName, now: new Date() });
    if (ancestors === undefined) return undefined;
    return async () => {
      await apply(verdict.ref, object, { status: { ancestors }, force: true });
      return undefined;
    };
  };

  const planConditions = (object: KubernetesObject, verdict: Verdict): Write | undefined => {
    const plan = conditions.plan(object, verdict);
    return plan === undefined ? undefined : async () => conditions.write(plan);
  };

  /** The write that an object needs by now. What is not ours is never touched. */
  const planFor = (verdict: Verdict | undefined): Write | undefined => {
    if (verdict === undefined || verdict.notOurs !== undefined) return undefined;
    const object = latest.find(verdict.ref);
    if (object === undefined) return undefined;
    switch (kindNamed(verdict.ref.kind).status) {
      case 'loadBalancer':
        return planAddresses(object, verdict);
      case 'conditions':
        return planConditions(object, verdict);
      case 'ancestors':
        return planAncestors(object, verdict);
      case undefined:
        return undefined;
    }
  };

  return {
    /**
     * Makes the write that is needed, if any. Looks twice: what it writes is what is true when its turn has
     * come, and what needs no write takes no turn.
     *
     * @throws ApiError, NotLeading
     */
    async write(verdict: () => Verdict | undefined): Promise<number | undefined> {
      if (planFor(verdict()) === undefined) return undefined;
      await turn();
      return planFor(verdict())?.();
    },
    forget(ref: Ref): void {
      latest.forget(ref);
      conditions.forget(ref);
    },
  };
}
