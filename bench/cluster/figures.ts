import { quantile } from '../statistics.ts';
import type { Table } from '../table.ts';

/** A figure, beside what it should be at most. */
export interface Figure {
  readonly name: string;
  readonly unit: 'ms' | 's' | 'MB' | 'number';
  readonly value: number;
  readonly target?: number;
}

/** What one part of the bench yields. */
export interface PartReport {
  readonly tables: readonly Table[];
  readonly facts: Record<string, unknown>;
  readonly failures: readonly string[];
}

const digits = { ms: 1, s: 2, MB: 0, number: 0 } as const;

const verdict = ({ value, target }: Figure): string => (target === undefined ? '' : value <= target ? 'met' : 'MISSED');

/** Figures as a table, each with its target and whether it is met. */
export function figuresTable(title: string, figures: readonly Figure[], notes: readonly string[] = []): Table {
  return {
    title,
    columns: ['figure', 'measured', 'unit', 'target', ''],
    rows: figures.map((figure) => [
      figure.name,
      figure.value.toFixed(digits[figure.unit]),
      figure.unit === 'number' ? '' : figure.unit,
      figure.target === undefined ? '' : `≤ ${figure.target}`,
      verdict(figure),
    ]),
    notes,
  };
}

/** The quantiles that are reported of milliseconds. */
export function spreadOf(ms: readonly number[]) {
  const at = (share: number): number => Number(quantile(ms, share).toFixed(2));
  return { number: ms.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
