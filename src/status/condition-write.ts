/**
 * Brings the condition of one object to what its verdict says. Where other controllers write the same
 * condition, docs/decisions/0005-our-own-condition.md says who yields to whom.
 */
import { ApiError } from '#resources/api-error.ts';
import { objectPath } from '#resources/api-path.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { kongPlugin } from '#resources/kong-plugin.ts';
import type { Ref } from '#resources/ref.ts';
import type { Verdict } from '#resources/verdict.ts';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import type { Logger } from '#telemetry/log.ts';
import {
  conditionIn,
  conditionOf,
  credentialsExpiring,
  expirySayingOf,
  ownConditionType,
  programmed,
  sayingOf,
  says,
  type Saying,
} from './conditions.ts';
import { createDisputes } from './disputes.ts';
import { fieldManagerOf, fieldsHeldAlone, managersIn, mayTakeFrom } from './field-owners.ts';
import type { LatestObjects } from './latest-objects.ts';
import type { StatusApply } from './status-apply.ts';

export interface ConditionWriteOptions {
  readonly api: KubernetesApi;
  readonly apply: StatusApply;
  readonly log: Logger;
  readonly ingressClass: string;
  readonly latest: LatestObjects;
  /** Resolves when it is our turn for one more request. @throws NotLeading */
  turn(): Promise<void>;
}

/** Kinds that every controller believes to be its own, since their objects have no class. */
const kindsWithoutClass: ReadonlySet<string> = new Set([kongPlugin.kind]);

/** What to write, and over what. */
interface ConditionPlan {
  readonly ref: Ref;
  readonly object: KubernetesObject;
  readonly type: string;
  readonly saying: Saying;
  /** What `CredentialsExpiring` says; absent: it is not there. */
  readonly expiry: Saying | undefined;
}

/** The condition `CredentialsExpiring` of a plan, as the list has it. */
function expiryConditions({ object, expiry }: ConditionPlan, now: Date): object[] {
  if (expiry === undefined) return [];
  return [conditionOf(credentialsExpiring, expiry, conditionIn(object['status'], credentialsExpiring), now)];
}

/** Whether it says what it should, or is not there when it should not be. */
function saysExpiry(object: KubernetesObject, expiry: Saying | undefined): boolean {
  const condition = conditionIn(object['status'], credentialsExpiring);
  return expiry === undefined ? condition === undefined : says(condition, expiry);
}

/** Names of the field managers that a refusal names; empty for any other error. */
function holdersIn(error: unknown): string[] {
  return error instanceof ApiError && error.status === 409 ? managersIn(error.message) : [];
}

/**
 * What is left that only we hold of a condition which another took over, as it is: without it that
 * condition would not be whole, and with more we would stand in the other's way.
 */
function restOf(object: KubernetesObject, fieldManager: string): object[] {
  const condition = conditionIn(object['status'], programmed);
  const alone = fieldsHeldAlone(object, fieldManager, programmed);
  if (condition === undefined || alone.length === 0) return [];
  const fields = Object.entries(condition).filter(([field]) => alone.includes(field));
  return [{ ...Object.fromEntries(fields), type: programmed }];
}

/** See the head of this file. */
export function createConditionWrite(options: ConditionWriteOptions) {
  const { api, apply, log, ingressClass, latest, turn } = options;
  const fieldManager = fieldManagerOf(ingressClass);
  const ownType = ownConditionType(ingressClass);
  const disputes = createDisputes(log);

  const put = async (plan: ConditionPlan, force: { readonly force: boolean }, rest: readonly object[] = []) => {
    const { ref, object, type, saying } = plan;
    const now = new Date();
    const condition = conditionOf(type, saying, conditionIn(object['status'], type), now);
    await apply(ref, object, {
      status: { conditions: [condition, ...expiryConditions(plan, now), ...rest] },
      ...force,
    });
  };

  /** `Programmed`, unless we gave way to another controller on this object: then our own type stands beside it. */
  const typeFor = ({ status }: KubernetesObject): string => {
    // Unknown is what the CRD fills in while nobody says anything.
    const isTaken = (conditionIn(status, programmed)?.status ?? 'Unknown') !== 'Unknown';
    return isTaken && conditionIn(status, ownType) !== undefined ? ownType : programmed;
  };

  /** The object with its field managers, which are not kept of what is watched. */
  const readAgain = async (ref: Ref): Promise<KubernetesObject> => {
    await turn();
    const object = await api.request<KubernetesObject>({ method: 'GET', path: objectPath(ref) });
    latest.note(ref, object);
    return object;
  };

  /** Leaves `Programmed` to the other controller and says the same in our own type. */
  const putBeside = async (plan: ConditionPlan, object: KubernetesObject): Promise<void> => {
    await turn();
    await put({ ...plan, object, type: ownType }, { force: true }, restOf(object, fieldManager));
  };

  /** Somebody else holds the condition: agrees, is overruled, is waited for or is given way to. */
  const settleDispute = async (plan: ConditionPlan, holders: readonly string[]): Promise<number | undefined> => {
    const { ref, type, saying } = plan;
    const object = await readAgain(ref);
    if (says(conditionIn(object['status'], type), saying)) return undefined;
    const others = holders.filter((manager) => !mayTakeFrom(manager, fieldManager));
    const leftMs = others.length === 0 ? 0 : disputes.leftMs(ref);
    if (leftMs > 0) return leftMs;
    if (others.length > 0) {
      disputes.tell(ref, others, ownType);
      await putBeside(plan, object);
      disputes.yielded(ref);
      return undefined;
    }
    await turn();
    await put({ ...plan, object }, { force: true });
    return undefined;
  };

  const putPolitely = async (plan: ConditionPlan): Promise<number | undefined> => {
    try {
      await put(plan, { force: false });
      return undefined;
    } catch (error) {
      const holders = holdersIn(error);
      if (holders.length === 0) throw error;
      return settleDispute(plan, holders);
    }
  };

  return {
    /** What to write; undefined when the object says what it should. */
    plan(object: KubernetesObject, verdict: Verdict): ConditionPlan | undefined {
      const { ref, generation = 0 } = verdict;
      // Of an object that has been edited since, the next verdict is on its way.
      if ((object.metadata.generation ?? 0) > generation) return undefined;
      const saying = sayingOf(verdict);
      const type = typeFor(object);
      const expiry = expirySayingOf(verdict);
      const isSaid = says(conditionIn(object['status'], type), saying) && saysExpiry(object, expiry);
      if (!isSaid) return { ref, object, type, saying, expiry };
      disputes.settled(ref);
      return undefined;
    },

    /** Gives the milliseconds after which to look again, if another controller may only be late. */
    async write(plan: ConditionPlan): Promise<number | undefined> {
      if (plan.type === ownType) await putBeside(plan, await readAgain(plan.ref));
      else if (kindsWithoutClass.has(plan.ref.kind)) return putPolitely(plan);
      else await put(plan, { force: true });
      return undefined;
    },

    forget: disputes.forget,
  };
}
