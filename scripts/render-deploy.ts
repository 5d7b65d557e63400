/**
 * `npm run deploy`: writes deploy/latchkey.yaml, the chart with its default values as plain YAML, for those
 * without helm; `npm run deploy:check` (`--check`) fails when it differs. Helm is what HELM names, else the one
 * on the path, else the one that the tests build.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { controlPlanePrograms } from '../test/support/control-plane-programs.ts';

const root = join(import.meta.dirname, '..');
const path = join(root, 'deploy', 'latchkey.yaml');
const namespace = 'latchkey';

interface Rendered {
  readonly metadata: { readonly labels: Record<string, string> };
  readonly spec?: { readonly template?: Rendered };
}

/** Nothing here is managed by helm. */
function withoutHelm(object: Rendered): Rendered {
  for (const { labels } of [object, object.spec?.template].flatMap((part) => (part ? [part.metadata] : []))) {
    delete labels['helm.sh/chart'];
    delete labels['app.kubernetes.io/managed-by'];
  }
  return object;
}

async function findHelm(): Promise<string> {
  const given = process.env['HELM'];
  if (given !== undefined && given !== '') return given;
  const onPath = 'helm';
  const isThere = spawnSync(onPath, ['version'], { stdio: 'ignore' }).status === 0;
  return isThere ? onPath : (await controlPlanePrograms()).helm;
}

const chart = join(root, 'charts', 'latchkey');
const args = ['template', 'latchkey', chart, '--namespace', namespace, '--set', 'crds.install=false'];
const rendered = execFileSync(await findHelm(), args, { encoding: 'utf8' });

const namespaceObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
};
const objects = [
  namespaceObject,
  ...parseAllDocuments(rendered).flatMap((document) => {
    const object = document.toJS() as Rendered | null;
    return object === null ? [] : [withoutHelm(object)];
  }),
];
const text = [
  '# Made by `npm run deploy` from charts/latchkey with its default values; change the chart, not this file.',
  '# The definitions in crds/ come first: kubectl apply --server-side -f crds/',
  // kubectl reads YAML 1.1, where a bare `yes` or `on` is a boolean.
  ...objects.map((object) => `---\n${stringify(object, { lineWidth: 0, version: '1.1' }).trimEnd()}`),
].join('\n');

if (!process.argv.includes('--check')) writeFileSync(path, `${text}\n`);
else if (readFileSync(path, 'utf8') !== `${text}\n`) {
  console.error('deploy/latchkey.yaml is not what the chart renders: npm run deploy');
  process.exitCode = 1;
}
