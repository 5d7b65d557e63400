/**
 * `npm run crds`: writes crds/ from the kinds in the code, and the same files into the chart, since helm
 * reads nothing outside it; `npm run crds:check` (`--check`) fails when a file differs or is one too many.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { allKinds } from '#resources/all-kinds.ts';
import { customResourceDefinition } from '#resources/custom-resource-definition.ts';

const root = join(import.meta.dirname, '..');
const folders = [join(root, 'crds'), join(root, 'charts', 'latchkey', 'files', 'crds')];
const notice = '# Made by `npm run crds` from src/resources; change the code, not this file.';

const wanted = new Map(
  allKinds.flatMap((kind) => {
    const definition = customResourceDefinition(kind);
    if (definition === undefined) return [];
    const text = stringify(definition, {
      lineWidth: 0,
      singleQuote: true,
      aliasDuplicateObjects: false,
      version: '1.1',
    });
    return [[`${kind.plural}.yaml`, `${notice}\n${text}`]];
  }),
);

/** The files of a folder that are missing, different or not wanted. */
function differing(folder: string): string[] {
  const there = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  return [...new Set([...wanted.keys(), ...there.keys()])]
    .filter((name) => wanted.get(name) !== there.get(name))
    .map((name) => join(folder, name));
}

function write(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const path of differing(folder)) rmSync(path, { force: true });
  for (const [name, text] of wanted) writeFileSync(join(folder, name), text);
}

for (const folder of folders) {
  if (!process.argv.includes('--check')) write(folder);
  for (const path of differing(folder)) {
    console.error(`${path} is not what the kinds ask for: npm run crds`);
    process.exitCode = 1;
  }
}
