/**
 * Tells people what became of their objects. Here, for a directory: in the log, and to whoever asks for
 * all verdicts.
 *
 *   verdicts (after every worker acknowledged) ──▶ reporter ──▶ log
 *
 * Invariant: nothing is called in force before requests meet it.
 */
import { formatRef, refKey, refOfKey, type Ref } from '#resources/ref.ts';
import { packVerdict, unpackVerdict, type PackedVerdict, type Verdict } from '#resources/verdict.ts';
import type { FileProblem } from '#source/source.ts';
import type { Logger } from '#telemetry/log.ts';
import { createVerdictCounts, type VerdictCounts } from './verdict-counts.ts';

/** See the head of this file. */
export function createReporter(log: Logger) {
  const verdicts = new Map<string, PackedVerdict>();
  const counts = createVerdictCounts();
  let fileProblems: readonly FileProblem[] = [];

  const last = (key: string, ref: Ref): Verdict | undefined => {
    const packed = verdicts.get(key);
    return packed === undefined ? undefined : unpackVerdict(ref, packed);
  };

  const isBroken = (verdict: Verdict | undefined): boolean => (verdict?.problems.length ?? 0) > 0;

  const tell = (before: Verdict | undefined, verdict: Verdict): void => {
    const object = formatRef(verdict.ref);
    for (const { reason, message, effect } of verdict.problems) {
      if (before?.problems.some((problem) => problem.message === message) === true) continue;
      log.warn({ object, reason, effect }, `${object}: ${message}`);
    }
    if (isBroken(before) && !isBroken(verdict)) log.info({ object }, `${object}: is in force`);
  };

  return {
    /** Takes in verdicts that are true by now, and what has none any more. */
    report(changed: readonly Verdict[], forgotten: readonly Ref[]): void {
      for (const ref of forgotten) {
        const key = refKey(ref);
        counts.replace(last(key, ref), undefined);
        verdicts.delete(key);
      }
      for (const verdict of changed) {
        const key = refKey(verdict.ref);
        const before = last(key, verdict.ref);
        tell(before, verdict);
        counts.replace(before, verdict);
        verdicts.set(key, packVerdict(verdict));
      }
    },

    reportFiles(problems: readonly FileProblem[]): void {
      const known = new Set(fileProblems.map((problem) => JSON.stringify(problem)));
      for (const problem of problems) {
        if (known.has(JSON.stringify(problem))) continue;
        const place = `${problem.file}:${problem.line}${problem.column === undefined ? '' : `:${problem.column}`}`;
        log[problem.isError ? 'warn' : 'info']({ file: problem.file }, `${place}: ${problem.message}`);
      }
      fileProblems = problems;
    },

    /** All verdicts reported so far, by ref. */
    all(): Verdict[] {
      return [...verdicts.entries()]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, packed]) => unpackVerdict(refOfKey(key), packed));
    },

    counts: counts as Omit<VerdictCounts, 'replace'>,

    get fileProblems(): readonly FileProblem[] {
      return fileProblems;
    },
  };
}
