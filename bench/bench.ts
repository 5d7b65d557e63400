export interface BenchOptions {
  /** How often everything is measured; the bench's own default when undefined. */
  readonly rounds: number | undefined;
  /** Length of one measurement. */
  readonly seconds: number | undefined;
}

export interface BenchResult {
  /** For people. */
  readonly text: string;
  /** For machines, with `--json`. */
  readonly data: unknown;
  /** False when something went wrong while measuring, so that the figures mean nothing. */
  readonly isValid: boolean;
}

export type Bench = (options: BenchOptions) => Promise<BenchResult>;

/** The middle value; of an even number the higher of the two in the middle. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value that a share of all values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Rows in columns of equal width; numbers stand to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .join('\n');
}

/** Says on stderr what is going on. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
