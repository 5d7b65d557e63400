import type { Metric } from 'prom-client';
import type { Times } from './traffic-figures.ts';

interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Upper bounds of the buckets, ascending. */
  readonly bounds: readonly number[];
}

type Labels = Readonly<Record<string, string>>;

interface Series {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
}

/** A histogram whose observations were put into buckets elsewhere; prom-client's own takes them one by one. */
export class SummedHistogram {
  readonly #options: HistogramOptions;
  readonly #series = new Map<string, Series>();

  constructor(options: HistogramOptions) {
    this.#options = options;
  }

  add(labels: Labels, { counts, sumMs }: Times): void {
    const key = JSON.stringify(labels);
    let series = this.#series.get(key);
    if (series === undefined) this.#series.set(key, (series = { labels, counts: counts.map(() => 0), sum: 0 }));
    for (const [i, n] of counts.entries()) series.counts[i] = (series.counts[i] ?? 0) + n;
    series.sum += sumMs;
  }

  /** Drops the series of these routes. */
  forget(routes: ReadonlySet<string>): void {
    for (const [key, { labels }] of this.#series) if (routes.has(labels['route'] ?? '')) this.#series.delete(key);
  }

  /** What a registry asks of a metric. */
  get forRegistry(): Metric {
    const { name, help, labelNames } = this.#options;
    const values = (): object[] => [...this.#series.values()].flatMap((series) => this.#valuesOf(series));
    const metric = {
      name,
      help,
      labelNames,
      type: 'histogram',
      aggregator: 'sum',
      get: () => ({ name, help, type: 'histogram', aggregator: 'sum', values: values() }),
      reset: () => this.#series.clear(),
    };
    return metric as unknown as Metric; // its types know of its own classes alone
  }

  #valuesOf({ labels, counts, sum }: Series): object[] {
    const { name, bounds } = this.#options;
    let below = 0;
    const buckets = counts.map((n, i) => {
      below += n;
      return { metricName: `${name}_bucket`, labels: { le: bounds[i] ?? '+Inf', ...labels }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: below },
    ];
  }
}
