/**
 * Tells verdicts as they are by the clock: a certificate expires though nobody touches an object.
 *
 *   verdicts ──▶ as of now ──▶ tell
 *      └──▶ those that will change, and when ──▶ timer ──▶ as of then ──▶ tell
 */
import { refKey, type Ref } from '#resources/ref.ts';
import { nextTurnMs, verdictAt, type Verdict } from '#resources/verdict.ts';

export interface TimedVerdictsOptions {
  tell(verdicts: readonly Verdict[], forgotten: readonly Ref[]): void;
  /** Milliseconds since the epoch; default the clock's. */
  now?(): number;
}

/** Longer, and Node's timers fire at once. A clock that is put right is noticed as soon. */
const longestWaitMs = 3_600_000;

/** See the head of this file. */
export function createTimedVerdicts({ tell, now = Date.now }: TimedVerdictsOptions) {
  const waiting = new Map<string, { readonly verdict: Verdict; readonly turnMs: number }>();
  let timer: NodeJS.Timeout | undefined;
  /** When the timer is to look; one that looks too early finds nothing and is set anew. */
  let wakeMs = Infinity;

  const wakeAt = (turnMs: number, nowMs: number): void => {
    if (turnMs >= wakeMs) return;
    clearTimeout(timer);
    wakeMs = turnMs;
    timer = setTimeout(turn, Math.min(Math.max(turnMs - nowMs, 0), longestWaitMs)).unref();
  };

  /** Looks at no other verdict: there may be a million that wait. */
  const note = (verdict: Verdict, nowMs: number): void => {
    const turnMs = nextTurnMs(verdict, nowMs);
    if (turnMs === undefined) return void waiting.delete(refKey(verdict.ref));
    waiting.set(refKey(verdict.ref), { verdict, turnMs });
    wakeAt(turnMs, nowMs);
  };

  const turn = (): void => {
    const nowMs = now();
    wakeMs = Infinity;
    const due: Verdict[] = [];
    let nextMs = Infinity;
    for (const { verdict, turnMs } of waiting.values()) {
      if (turnMs <= nowMs) due.push(verdict);
      else nextMs = Math.min(nextMs, turnMs);
    }
    wakeAt(nextMs, nowMs);
    for (const verdict of due) note(verdict, nowMs);
    if (due.length > 0)
      tell(
        due.map((verdict) => verdictAt(verdict, nowMs)),
        [],
      );
  };

  return {
    /** Takes in verdicts that are true by now, and what has none any more. */
    report(verdicts: readonly Verdict[], forgotten: readonly Ref[]): void {
      const nowMs = now();
      for (const ref of forgotten) waiting.delete(refKey(ref));
      for (const verdict of verdicts) if (verdict.timed !== undefined || waiting.size > 0) note(verdict, nowMs);
      tell(
        verdicts.map((verdict) => verdictAt(verdict, nowMs)),
        forgotten,
      );
    },

    stop(): void {
      clearTimeout(timer);
    },
  };
}
