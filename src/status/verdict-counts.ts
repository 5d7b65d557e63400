import type { Verdict } from '#resources/verdict.ts';
import { isInForce, reasonOf } from './conditions.ts';

/** Objects by kind, then by the reason of their condition `Programmed`. */
type ObjectCounts = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Counts objects as their verdicts come and go: there may be a million, which nobody wants to look through. */
export function createVerdictCounts() {
  const objects = new Map<string, Map<string, number>>();
  let notInForce = 0;
  let expiringCredentials = 0;

  const add = (verdict: Verdict | undefined, by: 1 | -1): void => {
    if (verdict === undefined) return;
    const { kind } = verdict.ref;
    const reason = reasonOf(verdict);
    let ofKind = objects.get(kind);
    if (ofKind === undefined) objects.set(kind, (ofKind = new Map()));
    ofKind.set(reason, (ofKind.get(reason) ?? 0) + by);
    if (verdict.problems.length === 0) return;
    if (!isInForce(verdict)) notInForce += by;
    expiringCredentials += by * verdict.problems.filter(({ reason: one }) => one === 'CredentialExpiring').length;
  };

  return {
    /** Takes in what was found out about an object, in place of what was; undefined: there is nothing. */
    replace(before: Verdict | undefined, after: Verdict | undefined): void {
      add(before, -1);
      add(after, 1);
    },

    objects: objects as ObjectCounts,
    /** How many objects are not in force. */
    notInForce: (): number => notInForce,
    /** Keys that are in force and end soon. */
    expiringCredentials: (): number => expiringCredentials,
  };
}

export type VerdictCounts = ReturnType<typeof createVerdictCounts>;
