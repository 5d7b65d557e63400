/** Prometheus' text format, read as strictly as it is defined: https://prometheus.io/docs/instrumenting/exposition_formats/ */

/** One line with a value. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What belongs to one metric. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const metricName = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const headLine = new RegExp(
  `^# HELP (${metricName}) (.+)\\n# TYPE (${metricName}) (counter|gauge|histogram|summary)\\n`,
);
const sampleLine = new RegExp(`^(${metricName})(?:\\{(.*)\\})? (\\S+)$`);
const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/;
const numbers = /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i;

function labelsOf(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== '';) {
    const [whole = '', name = '', value = ''] = label.exec(rest) ?? [];
    if (whole === '' || name in labels) throw new Error(`labels cannot be read, or one twice: ${line}`);
    labels[name] = value.replaceAll(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(whole.length);
  }
  return labels;
}

function sampleOf(line: string, family: string, type: string): Sample {
  const [, name = '', labels = '', value = ''] = sampleLine.exec(line) ?? [];
  if (!numbers.test(value)) throw new Error(`no sample: ${line}`);
  const suffix = type === 'histogram' ? /^_(?:bucket|sum|count)$/ : type === 'summary' ? /^(?:|_sum|_count)$/ : /^$/;
  if (!name.startsWith(family) || !suffix.test(name.slice(family.length))) throw new Error(`not of ${family}: ${line}`);
  return { name, labels: labelsOf(labels, line), value: Number(value.replace(/Inf$/i, 'Infinity')) };
}

const withoutBound = ({ labels }: Sample): string => JSON.stringify({ ...labels, le: undefined });

/** Buckets of one series are cumulative and end with all that there are. */
function checkBuckets({ name, samples }: MetricFamily): void {
  const counts = samples.filter((sample) => sample.name === `${name}_count`);
  for (const count of counts) {
    const buckets = samples.filter(
      (sample) => sample.name === `${name}_bucket` && withoutBound(sample) === withoutBound(count),
    );
    const bounds = buckets.map(({ labels }) => Number((labels['le'] ?? '').replace('+Inf', 'Infinity')));
    const isAscending = (values: readonly number[], least: number): boolean =>
      values.every((value, i) => i === 0 || value - (values[i - 1] ?? 0) >= least);
    const isWhole = bounds.at(-1) === Infinity && buckets.at(-1)?.value === count.value;
    const isSum = samples.some(
      (sample) => sample.name === `${name}_sum` && withoutBound(sample) === withoutBound(count),
    );
    const isGood = isWhole && isSum && isAscending(bounds, Number.MIN_VALUE);
    if (
      !isGood ||
      !isAscending(
        buckets.map(({ value }) => value),
        0,
      )
    ) {
      throw new Error(`the buckets of ${name}${withoutBound(count)} do not add up`);
    }
  }
}

/** One metric: its head, and its samples below it, none twice. */
function familyOf(block: string): MetricFamily {
  const [head, name = '', help = '', typed = '', type = ''] = headLine.exec(`${block}\n`) ?? [];
  if (head === undefined || name !== typed) throw new Error(`no head of a metric: ${block.slice(0, 200)}`);
  const lines = block.slice(head.length).split('\n');
  const samples = lines.filter((line) => line !== '').map((line) => sampleOf(line, name, type));
  const keys = new Set(samples.map((sample) => JSON.stringify([sample.name, sample.labels])));
  if (keys.size !== samples.length) throw new Error(`a series of ${name} is there twice`);
  const family = { name, help, type, samples };
  if (type === 'histogram') checkBuckets(family);
  return family;
}

/** Reads a scrape. @throws Error with the line that is wrong */
export function parseExposition(text: string): MetricFamily[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = text
    .trimEnd()
    .split(/\n+(?=# HELP )/)
    .map(familyOf);
  const names = new Set(families.map(({ name }) => name));
  if (names.size !== families.length) throw new Error('a metric is there twice');
  return families;
}
