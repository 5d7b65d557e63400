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

  const note = (verdict: Verdict, nowMs: number): void => {
    const turnMs = nextTurnMs(verdict, nowMs);
    if (turnMs === undefined) waiting.delete(refKey(verdict.ref));
    else waiting.set(refKey(verdict.ref), { verdict, turnMs });
  };

  const setTimer = (nowMs: number): void => {
    clearTimeout(timer);
    if (waiting.size === 0) return;
    let firstMs = Infinity;
    for (const { turnMs } of waiting.values()) firstMs = Math.min(firstMs, turnMs);
    timer = setTimeout(turn, Math.min(Math.max(firstMs - nowMs, 0), longestWaitMs)).unref();
  };

  const turn = (): void => {
    const nowMs = now();
    const due = [...waiting.values()].filter(({ turnMs }) => turnMs <= nowMs).map(({ verdict }) => verdict);
    for (const verdict of due) note(verdict, nowMs);
    setTimer(nowMs);
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
      const before = waiting.size;
      for (const ref of forgotten) waiting.delete(refKey(ref));
      for (const verdict of verdicts) if (verdict.timed !== undefined || waiting.size > 0) note(verdict, nowMs);
      if (before > 0 || waiting.size > 0) setTimer(nowMs);
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
