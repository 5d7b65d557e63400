/**
 * What people watch a gateway with agrees with what one that runs tells: the pages on metrics, the Grafana dashboard and
 * the alerts of the chart.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseExposition, type MetricFamily } from '../support/exposition.ts';
import { selectionsOf } from '../support/promql.ts';
import { startWatchedGateway } from '../support/watched-gateway.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

let families: readonly MetricFamily[];
const isOwn = ({ name }: MetricFamily): boolean => !/^(?:process_|nodejs_)/.test(name);

let gateway: Awaited<ReturnType<typeof startWatchedGateway>>;
beforeAll(async () => {
  gateway = await startWatchedGateway();
  await gateway.ask('/', { apikey: 'bobs-key' });
  await gateway.ask('/', { apikey: 'wrong' });
  await gateway.ask('/a%5cb');
  await gateway.ask('/dead');
  families = parseExposition(await gateway.scrape());
});
afterAll(async () => gateway.stop());

interface Row {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** The table of docs/reference/metrics.md. */
const documented: readonly Row[] = read('docs/reference/metrics.md')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const [name = '', type = '', labels = '', help = ''] = line.slice(2, -2).split(' | ');
    return { name: name.replaceAll('`', ''), type, labels: labels.match(/\w+/g) ?? [], help };
  });

const labelsOf = (name: string): readonly string[] => documented.find((row) => row.name === name)?.labels ?? [];

/** What only a gateway on a cluster, or one that replaces a worker, has something of. */
const elsewhere = [
  'rest_client_requests_total',
  'latchkey_watch_up',
  'latchkey_definition_installed',
  'leader_election_master_status',
];

test('each metric is documented with its type and meaning, and there are no others', () => {
  const told = families.filter(isOwn).map(({ name, type, help }) => ({ name, type, help }));
  expect(told).toEqual(documented.map(({ name, type, help }) => ({ name, type, help })));
});

test('each series has the labels that are documented, and each metric has a series', () => {
  for (const { name, samples } of families.filter(isOwn)) {
    for (const { name: series, labels } of samples) {
      const own = Object.keys(labels).filter((label) => !(label === 'le' && series === `${name}_bucket`));
      expect([series, own]).toEqual([series, labelsOf(name)]);
    }
  }
  const silent = families.filter((family) => isOwn(family) && family.samples.length === 0).map(({ name }) => name);
  expect(silent.toSorted()).toEqual(elsewhere.toSorted());
});

test('a page names no metric that there is not', () => {
  const names = new Set(families.map(({ name }) => name));
  for (const page of ['docs/metrics.md', 'docs/limits.md', 'docs/lifecycle.md']) {
    const named = read(page).match(/\b(?:kong|latchkey|ingress_controller|rest_client|leader_election)_\w+/g) ?? [];
    const own = named.filter((name) => !/_$|^kong_(?:key|debug)/.test(name));
    expect([page, own.map((name) => name.replace(/_bucket$/, '')).filter((name) => !names.has(name))]).toEqual([
      page,
      [],
    ]);
  }
});

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}
const dashboard = JSON.parse(read('charts/latchkey/files/dashboard.json')) as Dashboard;

interface AlertGroup {
  readonly rules: readonly {
    readonly alert: string;
    readonly expr: string;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}
const alerts = (parse(read('charts/latchkey/files/alerts.yaml')) as readonly AlertGroup[]).flatMap(
  ({ rules }) => rules,
);

const expressions: [where: string, expression: string][] = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }): [string, string] => [`panel ${title}`, expr]),
  ),
  ...alerts.map(({ alert, expr }): [string, string] => [`alert ${alert}`, expr]),
  ...[...read('docs/metrics.md').matchAll(/```promql\n([^`]+)```/g)].flatMap(([, block = '']) =>
    block
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line): [string, string] => ['docs/metrics.md', line]),
  ),
];

/** What Prometheus adds itself, and the operator's ServiceMonitor. */
const added = ['job', 'instance', 'namespace', 'le'];

test.for(expressions)('%s: reads metrics that there are, by labels that they have', ([, expression]) => {
  const { selections, groupedBy } = selectionsOf(expression);
  expect(selections.length).toBeGreaterThan(0);
  const known = new Set(added);
  for (const { metric, labels } of selections) {
    const family = families.find(({ name, type }) => `${name}${type === 'histogram' ? '_bucket' : ''}` === metric);
    expect([metric, family === undefined]).toEqual([metric, false]);
    for (const label of labelsOf(family?.name ?? '')) known.add(label);
    expect([metric, labels.filter((label) => !known.has(label))]).toEqual([metric, []]);
  }
  expect(groupedBy.filter((label) => !known.has(label))).toEqual([]);
});

test('an alert speaks of labels that its expression leaves', () => {
  for (const { alert, expr, annotations } of alerts) {
    const { selections, groupedBy } = selectionsOf(expr);
    const whole = selections.flatMap(({ metric }) => labelsOf(metric));
    const left = groupedBy.length > 0 ? groupedBy : [...whole, ...added];
    const spoken = Object.values(annotations).flatMap((text) => text.match(/(?<=\$labels\.)\w+/g) ?? []);
    expect([alert, spoken.filter((label) => !left.includes(label))]).toEqual([alert, []]);
  }
});
