import type { Table } from './table.ts';

/** What every bench yields: the same facts for people and for machines. */
export interface BenchReport {
  readonly tables: readonly Table[];
  /** Becomes the one JSON object of `--json`. */
  readonly facts: Record<string, unknown>;
  /** Whatever makes the figures worthless, such as a failed request. The bench then ends with exit code 1. */
  readonly failures: readonly string[];
}

/** Tells a person that waits how far it is. On stderr, so that stdout holds the result and nothing else. */
export function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}
