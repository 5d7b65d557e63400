import { randomBytes } from 'node:crypto';
import { refKey } from '#resources/ref.ts';
import { verdictAt, type Problem, type Verdict } from '#resources/verdict.ts';
import { directorySource } from '#source/directory.ts';
import type { FileProblem, Origin } from '#source/source.ts';
import { digestSecretBytes, makeDigest } from '#table/digest.ts';
import { createEngine } from '#translate/engine.ts';
import { sealed, sealingWith } from '#translate/sealing.ts';
import type { TranslateSettings } from '#translate/translation.ts';
import { UsageError } from './usage-error.ts';

/** What became of every object of a directory. */
export interface Report {
  readonly verdicts: readonly { readonly verdict: Verdict; readonly origin: Origin | undefined }[];
  readonly fileProblems: readonly FileProblem[];
  readonly isAllInForce: boolean;
}

/** What is in force, and will not be for long. */
const isWarning = ({ effect }: Problem): boolean => effect === 'in force until then';

/** Orders verdicts by where they were written, else by ref. */
export function makeReport(
  verdicts: readonly Verdict[],
  originOf: (key: string) => Origin | undefined,
  fileProblems: readonly FileProblem[],
): Report {
  const rows = verdicts.map((verdict) => ({ verdict, origin: originOf(refKey(verdict.ref)) }));
  const place = ({ verdict, origin }: (typeof rows)[number]): string =>
    `${origin?.file ?? ''}|${String(origin?.line ?? 0).padStart(8, '0')}|${refKey(verdict.ref)}`;
  rows.sort((a, b) => (place(a) < place(b) ? -1 : 1));
  const isAllInForce =
    rows.every(({ verdict }) => verdict.problems.every(isWarning)) && fileProblems.every((problem) => !problem.isError);
  return { verdicts: rows, fileProblems, isAllInForce };
}

/**
 * Translates a directory without serving it.
 *
 * @throws UsageError if the directory cannot be read
 */
export async function checkDirectory(dir: string, settings: TranslateSettings): Promise<Report> {
  const source = directorySource(dir);
  const engine = createEngine(settings);
  // Which of them some plugin wants is known only at the end, and with that this is over.
  const sealing = sealingWith(makeDigest(randomBytes(digestSecretBytes)), () => true);
  const origins = new Map<string, Origin>();
  let fileProblems: readonly FileProblem[] = [];
  try {
    await source.start({
      changes(changes) {
        for (const change of changes) {
          if (change.type === 'put' && change.origin !== undefined) origins.set(refKey(change.ref), change.origin);
        }
        const { failures } = engine.apply(changes.map((change) => sealed(change, sealing)));
        if (failures[0] !== undefined) throw failures[0].error;
      },
      fileProblems: (problems) => (fileProblems = problems),
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  } finally {
    await source.stop();
  }
  const nowMs = Date.now();
  return makeReport(
    engine.verdicts().map((verdict) => verdictAt(verdict, nowMs)),
    (key) => origins.get(key),
    fileProblems,
  );
}
