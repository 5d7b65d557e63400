import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { editText } from '#source/edit-text.ts';
import { readManifest } from '#source/manifest-file.ts';

type Change = (object: KubernetesObject) => KubernetesObject | undefined;

/** The text after a change of the object with this name. */
function edit(text: string, name: string, change: Change, file = 'a.yaml'): string | undefined {
  const found = readManifest(file, text).objects.find(({ ref }) => ref.name === name);
  if (found === undefined) throw new Error(`no object ${name}`);
  return editText({ file, text, found, wanted: change(structuredClone(found.written)) });
}

const annotate: Change = (object) => ({
  ...object,
  metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, 'konghq.com/plugins': 'limits' } },
});
const remove: Change = () => undefined;
const set =
  (fields: object): Change =>
  (object) => ({ ...object, ...fields });

const ingress = `# What this is for.
apiVersion: networking.k8s.io/v1 # the only version
kind: Ingress
metadata:
  name: web
  annotations:
    # Upstream wants no prefix.
    konghq.com/strip-path: "true"

spec:
  rules:
    - host: 'a.example' # first
    - host: "b.example" # second
    - host: c.example
`;

const unindented = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  labels: {a: b, c: d}
spec:
  rules:
  - host: a.example
  - host: b.example
`;

const consumer = (name: string): string => `apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata:
  name: ${name}
username: ${name} # as in the old system
`;

describe('an edit leaves everything else as it was', () => {
  test('a field is added', () => {
    const strip = '    konghq.com/strip-path: "true"\n';
    expect(edit(ingress, 'web', annotate)).toBe(ingress.replace(strip, `${strip}    konghq.com/plugins: limits\n`));
  });

  test('a field is changed, and keeps its comment and its quotes', () => {
    const changed = edit(ingress, 'web', (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { 'konghq.com/strip-path': 'false' } },
    }));
    expect(changed).toBe(ingress.replace('"true"', '"false"'));
  });

  test('an item goes from the middle of a list, and its comment with it', () => {
    const changed = edit(ingress, 'web', set({ spec: { rules: [{ host: 'a.example' }, { host: 'c.example' }] } }));
    expect(changed).toBe(ingress.replace('    - host: "b.example" # second\n', ''));
  });

  test('an item comes to the front of a list', () => {
    const hosts = ['new.example', 'a.example', 'b.example', 'c.example'];
    const changed = edit(ingress, 'web', set({ spec: { rules: hosts.map((host) => ({ host })) } }));
    expect(changed).toBe(ingress.replace('  rules:\n', '  rules:\n    - host: new.example\n'));
  });

  test('the indentation of its author stays', () => {
    const changed = edit(unindented, 'web', set({ spec: { rules: [{ host: 'a.example' }], extra: { x: [1] } } }));
    expect(changed).toBe(unindented.replace('  - host: b.example\n', '  extra:\n    x:\n    - 1\n'));
    const wide = consumer('a').replace('  name', '      name');
    expect(edit(wide, 'a', set({ extra: { x: 1 } }))).toBe(`${wide}extra:\n      x: 1\n`);
  });

  test('other documents stay byte for byte', () => {
    const odd = `---\n#  odd   spacing\n{  apiVersion: v1,   kind: Secret, metadata: {name:   s} }\n`;
    const text = `${consumer('a')}${odd}---\n${consumer('b')}`;
    expect(edit(text, 'b', set({ username: 'c' }))).toBe(text.replace('username: b', 'username: c'));
    expect(edit(text, 'a', set({ username: 'c' }))).toBe(text.replace('username: a', 'username: c'));
  });

  test('in a List, only the item is touched', () => {
    const item = (name: string): string => `  - apiVersion: v1
    kind: Secret
    metadata:
      name: ${name} # ${name}
`;
    const text = `apiVersion: v1\nkind: List\nitems:\n${item('a')}${item('b')}`;
    expect(edit(text, 'b', set({ type: 'Opaque' }))).toBe(`${text}    type: Opaque\n`);
    expect(edit(text, 'a', remove)).toBe(`apiVersion: v1\nkind: List\nitems:\n${item('b')}`);
  });

  test('the line ends of Windows stay', () => {
    const text = ingress.replaceAll('\n', '\r\n');
    const strip = '    konghq.com/strip-path: "true"\r\n';
    expect(edit(text, 'web', annotate)).toBe(text.replace(strip, `${strip}    konghq.com/plugins: limits\r\n`));
  });

  test('what YAML 1.1 would read as something else is quoted', () => {
    const changed = edit(consumer('a'), 'a', set({ custom_id: 'yes', username: '010' }));
    expect(changed).toContain('custom_id: "yes"');
    expect(changed).toContain('username: "010" # as in the old system');
  });

  test('JSON stays JSON', () => {
    const text = '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}';
    const wanted = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, type: 'Opaque' };
    expect(edit(text, 's', set({ type: 'Opaque' }), 'a.json')).toBe(`${JSON.stringify(wanted, null, 2)}\n`);
  });

  test('what other places share through an alias does not change with it', () => {
    const text = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Secret
    metadata: {name: a, labels: &shared {x: "1"}}
  - apiVersion: v1
    kind: Secret
    metadata: {name: b, labels: *shared}
`;
    const relabel: Change = ({ metadata, ...object }) => ({ ...object, metadata: { ...metadata, labels: { x: '2' } } });
    for (const name of ['a', 'b']) {
      const { objects } = readManifest('a.yaml', edit(text, name, relabel) ?? '');
      expect(objects.map(({ ref, object }) => [ref.name, object.metadata.labels?.['x']])).toEqual([
        ['a', name === 'a' ? '2' : '1'],
        ['b', name === 'b' ? '2' : '1'],
      ]);
    }
  });

  test('a key that came by a merge can go', () => {
    const text = `${consumer('a')}extra: &x {one: 1, two: 2}\nmore:\n  <<: *x\n`;
    const changed = edit(text, 'a', set({ more: { one: 1 } })) ?? '';
    expect(readManifest('a.yaml', changed).objects[0]?.object).toMatchObject({
      extra: { one: 1, two: 2 },
      more: { one: 1 },
    });
    expect(readManifest('a.yaml', changed).objects[0]?.object['more']).toEqual({ one: 1 });
  });
});

describe('a removed object takes its document with it', () => {
  test.for(['a', 'b', 'c'])('%s of three', (name) => {
    const text = `# The file.\n\n${consumer('a')}---\n${consumer('b')}---\n${consumer('c')}`;
    const left = ['a', 'b', 'c'].filter((other) => other !== name);
    const changed = edit(text, name, remove) ?? '';
    expect(readManifest('a.yaml', changed).objects.map(({ ref }) => ref.name)).toEqual(left);
    for (const other of left) expect(changed).toContain(consumer(other));
  });

  test('and the file when nothing but comments is left', () => {
    expect(edit(`# Only this.\n---\n${consumer('a')}---\n# And this.\n`, 'a', remove)).toBeUndefined();
  });

  test('and the List when it was the last', () => {
    const json =
      '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}]}';
    expect(edit(json, 's', remove, 'a.json')).toBeUndefined();
    expect(edit(json, 's', remove)).toBeUndefined();
  });
});
