/** What the soak comes to. */
import type { BenchReport } from '../report.ts';
import { median, quantile, slope, spread, type Spread } from '../statistics.ts';
import type { Table } from '../table.ts';
import { callers } from './callers.ts';
import { sockets } from './sockets.ts';
import type { Part } from './watch.ts';

/** A part, with what happened in it. */
export interface MeasuredPart {
  readonly part: Part;
  readonly seconds: number;
  readonly edits: number;
  readonly patches: number;
  /** Workers that died and were replaced. */
  readonly restarts: number;
  readonly deaths: number;
}

export interface SoakFacts {
  readonly minutes: number;
  readonly measured: readonly MeasuredPart[];
  /** Resident memory, each second. */
  readonly samples: readonly { readonly seconds: number; readonly MB: number }[];
  readonly faults: readonly string[];
}

const p99Target = 1.2;
const editsTarget = 100;
/** A timer that fires late now and then is no missed target. */
const nearly = 0.99;

const p99Of = ({ part }: MeasuredPart): number => quantile(part.timesMs, 0.99);
const named = (measured: readonly MeasuredPart[], name: string): MeasuredPart[] =>
  measured.filter(({ part }) => part.name === name);

/** p99 while changes arrive, divided by that of the quiet part just before. */
function ratioOf(measured: readonly MeasuredPart[]): Spread {
  const quiet = named(measured, 'quiet').map(p99Of);
  return spread(named(measured, 'edits').map((part, i) => p99Of(part) / (quiet[i] ?? Number.NaN)));
}

const sum = (parts: readonly MeasuredPart[], pick: (part: MeasuredPart) => number): number =>
  parts.reduce((total, part) => total + pick(part), 0);

/** One row for all parts of a name: rates over all, times as the median of theirs. */
function rowOf(name: string, parts: readonly MeasuredPart[]): string[] {
  const seconds = sum(parts, (part) => part.seconds);
  const rate = (pick: (part: MeasuredPart) => number): string => (sum(parts, pick) / seconds).toFixed(0);
  const time = (share: number): string => median(parts.map(({ part }) => quantile(part.timesMs, share))).toFixed(2);
  return [
    name,
    seconds.toFixed(0),
    rate(({ part }) => part.requests),
    time(0.5),
    time(0.99),
    (sum(parts, ({ edits }) => edits) / seconds).toFixed(1),
    rate(({ patches }) => patches),
    String(sum(parts, ({ deaths }) => deaths)),
    String(sum(parts, ({ part }) => part.diedUnder)),
    String(sum(parts, ({ part }) => part.diedOnTheWay)),
    String(sum(parts, ({ part }) => part.killed)),
  ];
}

const verdict = (isMet: boolean, target: string): string => `${isMet ? 'met' : 'MISSED'}: ${target}`;

function editsVerdict(measured: readonly MeasuredPart[]): string {
  const parts = named(measured, 'edits');
  const rate = sum(parts, ({ edits }) => edits) / sum(parts, ({ seconds }) => seconds);
  return verdict(rate >= editsTarget * nearly, `${editsTarget} edits a second (${rate.toFixed(1)})`);
}

/** Over the last half: at first caches and compiled code fill, which ends. */
function memoryOf(samples: SoakFacts['samples']) {
  const half = samples.slice(Math.floor(samples.length / 2));
  const perSecond = slope(half.map(({ seconds, MB }) => [seconds, MB] as const));
  return {
    startMB: samples[0]?.MB ?? Number.NaN,
    halfMB: half[0]?.MB ?? Number.NaN,
    endMB: samples.at(-1)?.MB ?? Number.NaN,
    mostMB: Math.max(...samples.map(({ MB }) => MB)),
    slopeMBPerMinute: perSecond * 60,
  };
}

function tableOf({ minutes, measured, samples, faults }: SoakFacts): Table {
  const ratio = ratioOf(measured);
  const memory = memoryOf(samples);
  const names = [...new Set(measured.map(({ part }) => part.name))];
  const ratios = `${ratio.median.toFixed(2)}, ${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`;
  const resident = [memory.startMB, memory.halfMB, memory.endMB, memory.mostMB].map((MB) => MB.toFixed(0)).join(' / ');
  const columns = ['seconds', 'requests/s', 'p50 ms', 'p99 ms', 'edits/s', 'patches/s', 'deaths'];
  return {
    title: `${minutes} minutes, ${callers} callers, ${sockets} WebSockets`,
    columns: ['part', ...columns, '502 under', '502 on the way', 'killed'],
    rows: names.map((name) => rowOf(name, named(measured, name))),
    notes: [
      `wrong answers: ${faults.length}; workers that died: ${sum(measured, ({ restarts }) => restarts)}`,
      verdict(
        ratio.median <= p99Target,
        `p99 with edits within ${p99Target} × of the quiet part before it (${ratios})`,
      ),
      editsVerdict(measured),
      `resident at the start / half way / at the end / at most: ${resident} MB`,
      `its slope over the last half: ${memory.slopeMBPerMinute.toFixed(1)} MB a minute`,
    ],
  };
}

export function soakReport(facts: SoakFacts): BenchReport {
  const { minutes, measured, samples, faults } = facts;
  const shown = faults.slice(0, 10);
  return {
    tables: [tableOf(facts)],
    facts: {
      minutes,
      p99Ratio: ratioOf(measured),
      memory: memoryOf(samples),
      parts: measured.map((one) => ({
        ...one,
        part: { ...one.part, timesMs: undefined },
        p50Ms: quantile(one.part.timesMs, 0.5),
        p99Ms: p99Of(one),
      })),
    },
    failures: faults.length > shown.length ? [...shown, `and ${faults.length - shown.length} more`] : shown,
  };
}
