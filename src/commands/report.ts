import { relative } from 'node:path';
import type { Verdict } from '#resources/verdict.ts';
import { isInForce } from '#status/conditions.ts';
import type { Origin } from '#source/source.ts';
import type { Report } from './check-directory.ts';

const place = (origin: Origin | undefined): string =>
  origin === undefined
    ? ''
    : `${relative('.', origin.file)}:${origin.line}${origin.column === undefined ? '' : `:${origin.column}`}`;

const nameOf = ({ ref }: Verdict): string => (ref.namespace === '' ? ref.name : `${ref.namespace}/${ref.name}`);

/** Rows as columns of equal width; the last column is as long as it is. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + 2))).join('');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** The word for a verdict, as the column PROGRAMMED of kubectl shows it. */
function programmed(verdict: Verdict): string {
  if (verdict.notOurs !== undefined) return 'Ignored';
  return isInForce(verdict) ? 'True' : 'False';
}

function asText({ verdicts, fileProblems }: Report): string {
  const header = ['KIND', 'NAME', 'PROGRAMMED', 'REASON', 'WHERE', 'MESSAGE'];
  const rows = verdicts.flatMap(({ verdict, origin }) => {
    const start = [verdict.ref.kind, nameOf(verdict), programmed(verdict)];
    if (verdict.problems.length === 0) {
      return [
        [...start, verdict.notOurs === undefined ? 'Programmed' : 'NotOurs', place(origin), verdict.notOurs ?? ''],
      ];
    }
    return verdict.problems.map(({ reason, message, effect }) => [
      ...start,
      reason,
      place(origin),
      `${message} (${effect})`,
    ]);
  });
  const files = fileProblems.map((problem) => [problem.isError ? 'error' : 'note', place(problem), problem.message]);
  return (
    columns([header, ...rows]) + (files.length === 0 ? '' : `\n${columns([['FILES', 'WHERE', 'MESSAGE'], ...files])}`)
  );
}

function asJson({ verdicts, fileProblems, isAllInForce }: Report): string {
  const objects = verdicts.map(({ verdict, origin }) => ({
    ...verdict.ref,
    programmed: programmed(verdict),
    ...(verdict.notOurs === undefined ? {} : { notOurs: verdict.notOurs }),
    problems: verdict.problems,
    ...(origin === undefined ? {} : { file: relative('.', origin.file), line: origin.line }),
  }));
  const files = fileProblems.map((problem) => ({ ...problem, file: relative('.', problem.file) }));
  return `${JSON.stringify({ isAllInForce, objects, files }, null, 2)}\n`;
}

/** A report for people (`text`) or for machines (`json`). */
export function printReport(report: Report, format: string): string {
  return format === 'json' ? asJson(report) : asText(report);
}
