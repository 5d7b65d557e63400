/** What the linter cannot say of the house: reach, names, and that catalogues, docs and cases agree. */
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pluginHandlers } from '#plugins/handlers.ts';
import { pluginOrder } from '#plugins/plugin.ts';
import { pluginSchemas } from '#plugins/schemas.ts';
import { annotations, type AnnotationText } from '#resources/annotations.ts';
import { reasons } from '#resources/reasons.ts';

const root = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = globSync('src/**/*.ts', { cwd: root });

/** Files that a file imports as values. */
function imports(path: string): string[] {
  const text = read(path).replaceAll(/import type [^;]+;/g, '');
  const found = [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map((match) => match[1] ?? '');
  return found.flatMap((name) => {
    if (name.startsWith('#')) return [join('src', name.slice(1))];
    return name.startsWith('.') ? [join(dirname(path), name)] : [];
  });
}

function reach(start: string): Set<string> {
  const seen = new Set<string>();
  const queue = [start];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    queue.push(...imports(path));
  }
  return seen;
}

describe('rooms', () => {
  test('a worker reaches nothing of the control side', () => {
    const rooms = new Set([...reach('src/gateway/worker-thread.ts')].map((path) => path.split('/')[1]));
    expect([...rooms].sort((a = '', b = '') => a.localeCompare(b))).toEqual([
      'gateway',
      'plugins',
      'table',
      'telemetry',
    ]);
  });

  // What is not in its cache costs each thread that needs it 13 MB (src/main.ts), and the image's cannot be written to.
  test('all that a start may load is compiled when the image is built', () => {
    const warm = reach('scripts/warm-up.ts');
    warm.add('src/main.ts'); // which it starts
    const started = [...reach('src/main.ts'), ...reach('src/gateway/worker-thread.ts')];
    expect(started.filter((path) => path.endsWith('.ts') && !warm.has(path))).toEqual([]);
  });

  test('a worker loads no schema', () => {
    expect(
      [...reach('src/gateway/worker-thread.ts')].filter((path) => /\/(?:schema|schemas|credential)\.ts$/.test(path)),
    ).toEqual([]);
  });

  test.for(['resources', 'store', 'translate', 'table'])('%s is pure', (room) => {
    for (const path of sources.filter((candidate) => candidate.startsWith(`src/${room}/`))) {
      expect([
        path,
        read(path).match(/Date\.now\(|new Date\(\)|Math\.random\(|performance\.now\(|randomBytes\(|process\./g),
      ]).toEqual([path, null]);
    }
  });

  test('no file is called by what says nothing', () => {
    const refused = new Set([
      'utils',
      'helpers',
      'common',
      'shared',
      'misc',
      'base',
      'types',
      'constants',
      'enums',
      'manager',
      'index',
    ]);
    const names = globSync('{src,test,bench}/**/*.ts', { cwd: root }).flatMap((path) =>
      path.replace(/\.ts$/, '').split('/'),
    );
    expect(names.filter((name) => refused.has(name))).toEqual([]);
  });

  test('the gateway names no plugin', () => {
    for (const path of sources.filter((candidate) => candidate.startsWith('src/gateway/'))) {
      for (const plugin of pluginOrder) expect([path, read(path).includes(plugin)]).toEqual([path, false]);
    }
  });
});

describe('a kind is few files', () => {
  test('the name of a kind occurs in no file of the engine, the table, the gateway or the status', () => {
    const files = sources.filter((path) =>
      /src\/(?:table|gateway|status)\/|translate\/(?:engine|facts)\.ts/.test(path),
    );
    for (const path of files) expect([path, /'(?:Kong\w+|Ingress|Service)'/.test(read(path))]).toEqual([path, false]);
  });
});

describe('catalogues', () => {
  const verdicts = globSync('test/cases/**/verdicts.yaml', { cwd: root }).map(read).join('\n');
  const objects = globSync('test/cases/**/{objects.yaml,steps/*.yaml}', { cwd: root }).map(read).join('\n');

  /** What only the source or a bug of ours can find; their own tests have them. */
  const notFromObjects = new Set(['DuplicateObject', 'InternalError']);

  test.for(Object.keys(reasons).filter((reason) => !notFromObjects.has(reason)))(
    'reason %s occurs in a case',
    (reason) => {
      expect(verdicts).toContain(`reason: ${reason}\n`);
    },
  );

  test('every reason and annotation stands in the reference', () => {
    const page = read('docs/reference/reasons.md');
    for (const reason of Object.keys(reasons)) expect(page).toContain(`\`${reason}\``);
    const annotationPage = read('docs/reference/annotations.md');
    for (const name of Object.keys(annotations)) expect(annotationPage).toContain(`\`${name}\``);
  });

  const supported = Object.entries(annotations as Record<string, AnnotationText>).filter(
    ([, text]) => text.unsupported === undefined,
  );
  test.for(supported.map(([name]) => name))('annotation %s occurs in a case', (name) => {
    // Of a name with a part that users choose, what stands before it.
    expect(objects).toContain(name.includes('<') ? name.replace(/<.*/, '') : `${name}:`);
  });

  test('a plugin is a schema, a handler, a place in the order and a page', () => {
    const names = [...pluginOrder].sort();
    expect([...pluginSchemas.keys()].sort()).toEqual(names);
    expect([...pluginHandlers.keys()].sort()).toEqual(names);
    for (const name of names) expect(read('docs/reference/plugins.md')).toContain(`## ${name}`);
  });

  test('every case is called by a sentence', () => {
    const folders = globSync('test/cases/*/*/requests.yaml', { cwd: root }).map((path) => basename(dirname(path)));
    expect(folders.length).toBeGreaterThan(100);
    for (const name of folders) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+){2,}$/);
  });
});
