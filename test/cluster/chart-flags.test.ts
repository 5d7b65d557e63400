import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clusterOptions, serveOptions } from '#commands/options.ts';
import { chart, containerOf, template, type Values } from '../support/chart.ts';
import { controlPlane, describeCluster } from '../support/cluster-context.ts';
import { runLatchkey } from '../support/latchkey-process.ts';

/** Set by the chart in no case: it is for those outside a cluster. */
const elsewhere = new Set(['kubeconfig']);

/** The flags that the chart may pass, as arguments or in the environment: `watch_namespace` … */
async function chartFlags(): Promise<string[]> {
  const text = await readFile(join(chart, 'templates', '_helpers.tpl'), 'utf8');
  const list = /define "latchkey\.environmentFlags" -}}\n([a-z_\s]+?)\n\{\{-? end/.exec(text)?.[1] ?? '';
  return list.split(/\s+/);
}

interface EnvironmentSchema {
  readonly properties: {
    readonly ingressController: { readonly properties: { readonly env: { readonly properties: object } } };
  };
}

const asFlag = (name: string): string => `--${name.replaceAll('_', '-')}`;

describe('the flags that the chart passes', () => {
  test('are told by `latchkey run --help`', async () => {
    const { code, stdout } = await runLatchkey(['run', '--help']);
    expect(code).toBe(0);
    const told = new Set([...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, flag]) => flag));
    const passed = await chartFlags();
    expect(passed.length).toBeGreaterThan(15);
    expect(passed.map(asFlag).filter((flag) => !told.has(flag))).toEqual([]);
  });

  test('are all that there are about a cluster and about serving', async () => {
    const known = [...clusterOptions(), ...serveOptions()].map((option) => option.name().replaceAll('-', '_'));
    expect((await chartFlags()).toSorted()).toEqual(known.filter((name) => !elsewhere.has(name)).toSorted());
  });

  test('and those of Kong’s that it takes and ignores, are in docs/migrate-from-kong.md', async () => {
    const schema = JSON.parse(await readFile(join(chart, 'values.schema.json'), 'utf8')) as EnvironmentSchema;
    const taken = Object.keys(schema.properties.ingressController.properties.env.properties).map(asFlag);
    const page = await readFile(join(chart, '..', '..', 'docs', 'migrate-from-kong.md'), 'utf8');
    const told = new Set([...page.matchAll(/`(--[a-z-]+)`/g)].map(([, flag]) => flag));
    const own = new Set((await chartFlags()).map(asFlag));
    expect(taken.length).toBeGreaterThan(own.size);
    expect(taken.filter((flag) => !own.has(flag) && !told.has(flag))).toEqual([]);
  });
});

describeCluster('what the chart passes', () => {
  test.for<[string, Values]>([
    ['its defaults', {}],
    [
      'values in the environment',
      {
        ingressController: { watchNamespaces: ['a', 'b'], env: { update_status: false, drain_timeout_ms: 3_000_000 } },
      },
    ],
  ])('is understood: %s', async ([, values]) => {
    const { args, env } = containerOf(await template(controlPlane().programs.helm, values));
    const variables = Object.fromEntries(
      env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
    );
    // A kubeconfig that is not there: everything else was understood by then.
    const { code, stderr } = await runLatchkey([...args, '--kubeconfig=/nowhere'], variables);
    expect(stderr).toContain('--kubeconfig: ENOENT');
    expect(code).toBe(1);
  });
});
