import { describe, expect, test } from 'vitest';
import { uidFromRef } from '#resources/ids.ts';
import { formatRef } from '#resources/ref.ts';
import { readManifest } from '#source/manifest-file.ts';
import { ManifestSyntaxError } from '#source/manifest-text.ts';

const read = (text: string, file = 'a.yaml') => readManifest(file, text);
/** Every object as `KongConsumer default/alice @ line:column`. */
const found = (text: string): string[] =>
  read(text).objects.map(({ ref, origin }) => `${formatRef(ref)} @ ${origin.line}:${origin.column}`);
const problems = (text: string): string[] =>
  read(text).problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);

const consumer = (name: string): string => `apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: {name: ${name}}
`;

function syntaxErrorOf(text: string): string {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ManifestSyntaxError) return error.message;
    throw error;
  }
  return 'none';
}

describe('objects', () => {
  test('of several documents, each with the place where it starts', () => {
    const text = `# a comment\n${consumer('a')}---\n# another\n\n${consumer('b')}---\n---\n# nothing\n`;
    expect(found(text)).toEqual(['KongConsumer default/a @ 2:1', 'KongConsumer default/b @ 8:1']);
  });

  test('of JSON, tabs and all', () => {
    const text = `{\n\t"apiVersion": "v1",\n\t"kind": "Secret",\n\t"metadata": {"name": "s"}\n}\n`;
    expect(found(text)).toEqual(['Secret default/s @ 1:1']);
  });

  test('of a List, each with its own place', () => {
    const text = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Secret
    metadata: { name: one }
  - apiVersion: v1
    kind: Secret
    metadata: { name: two }
`;
    expect(found(text)).toEqual(['Secret default/one @ 4:5', 'Secret default/two @ 7:5']);
    expect(read(text).objects.map(({ document, path }) => [document, ...path])).toEqual([
      [0, 'items', 0],
      [0, 'items', 1],
    ]);
  });

  test('of the list of one kind, whose items leave out what it says', () => {
    const text = `{"apiVersion":"v1","kind":"SecretList","items":[{"metadata":{"name":"s","namespace":"x"}}]}`;
    expect(found(text)).toEqual(['Secret x/s @ 1:49']);
    expect(read(text).objects[0]?.object).toMatchObject({ apiVersion: 'v1', kind: 'Secret' });
  });

  test('of a List in a List', () => {
    const inner = `{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: s}}]}`;
    expect(found(`{apiVersion: v1, kind: List, items: [${inner}]}`)).toEqual(['Secret default/s @ 1:75']);
  });

  test('get a namespace, unless their kind has none, and a uid, unless they have one', () => {
    const text = `${consumer('a')}---
apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: p, namespace: ignored}
---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: "", uid: mine}
`;
    const uid = uidFromRef({ kind: 'KongConsumer', namespace: 'default', name: 'a' });
    const clusterUid = uidFromRef({ kind: 'KongClusterPlugin', namespace: '', name: 'p' });
    expect(read(text).objects.map(({ object }) => object.metadata)).toEqual([
      { name: 'a', namespace: 'default', uid },
      { name: 'p', uid: clusterUid },
      { name: 's', namespace: 'default', uid: 'mine' },
    ]);
    expect(read(text).objects[0]?.written.metadata).toEqual({ name: 'a' });
  });

  test('are read as kubectl reads them: merge keys, anchors, YAML 1.1', () => {
    const text = `apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: p}
plugin: x
config:
  base: &base {a: yes, b: 010, c: 2024-01-01, d: "12:30", e: 12:30:45}
  more:
    <<: *base
    b: other
`;
    const base = { a: true, b: 8, c: '2024-01-01', d: '12:30', e: '12:30:45' };
    expect(read(text).objects[0]?.object['config']).toEqual({ base, more: { ...base, b: 'other' } });
  });

  test('may have a byte order mark and Windows line ends before and in them', () => {
    expect(found(`\uFEFF${consumer('a').replaceAll('\n', '\r\n')}`)).toEqual(['KongConsumer default/a @ 1:2']);
  });

  test('a key __proto__ is a key like any other', () => {
    const { objects } = read(`${consumer('a')}__proto__: {polluted: true}\n`);
    expect(Object.getPrototypeOf(objects[0]?.object)).toBe(Object.prototype);
  });
});

describe('fields', () => {
  test('one that is stated as null is not there', () => {
    const [object] = read(
      'apiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: {name: p}\nplugin: key-auth\nconfig:\n',
    ).objects;
    expect(Object.keys(object?.object ?? {})).toEqual(['apiVersion', 'kind', 'metadata', 'plugin']);
  });
});

describe('a fault of one object costs no other', () => {
  test.for([
    ['kind: Secret\nmetadata: {name: s}', 'Secret: apiVersion: required field missing'],
    ['apiVersion: v1\nmetadata: {name: s}', 'kind: required field missing'],
    ['apiVersion: 1\nkind: Secret\nmetadata: {name: s}', 'Secret: apiVersion: expected a string'],
    ['apiVersion: v1\nkind: Secret', 'Secret: metadata: required field missing'],
    ['apiVersion: v1\nkind: Secret\nmetadata: s', 'Secret: metadata: expected an object'],
    ['apiVersion: v1\nkind: Secret\nmetadata: {}', 'Secret: metadata.name: required field missing'],
    ['apiVersion: v1\nkind: Secret\nmetadata: {name: ""}', 'Secret: metadata.name: required field missing'],
    ['apiVersion: v1\nkind: Secret\nmetadata: {name: 7}', 'Secret: metadata.name: expected a string'],
    ['apiVersion: v1\nkind: Secret\nmetadata: {name: a/b}', 'Secret: metadata.name: may not be . or .. or hold / or %'],
    [
      'apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b/c}',
      'Secret: metadata.namespace: expected a name',
    ],
    ['just text', 'expected a Kubernetes object: a mapping with apiVersion, kind and metadata'],
    ['- a list', 'expected a Kubernetes object: a mapping with apiVersion, kind and metadata'],
  ])('%j', ([text, message]) => {
    const whole = `${consumer('a')}---\n${text}\n---\n${consumer('b')}`;
    expect(problems(whole)).toEqual([`a.yaml:5:1: ${message}`]);
    expect(read(whole).objects.map(({ ref }) => ref.name)).toEqual(['a', 'b']);
  });
});

describe('kinds', () => {
  test.for([
    ['extensions/v1beta1', 'Ingress', 'networking.k8s.io/v1'],
    ['networking.k8s.io/v1beta1', 'Ingress', 'networking.k8s.io/v1'],
    ['v1', 'Ingress', 'networking.k8s.io/v1'],
    ['konghq.com/v1', 'KongPlugin', 'configuration.konghq.com/v1'],
    ['configuration.konghq.com/v1beta1', 'KongConsumer', 'configuration.konghq.com/v1'],
  ])('%s %s is an error that names %s', ([apiVersion, kind, right]) => {
    const { problems: told, unknownKinds } = read(`{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: x}}`);
    expect(told).toMatchObject([
      { isError: true, message: `${kind}: apiVersion: ${apiVersion} is not served, use ${right}` },
    ]);
    expect(unknownKinds).toEqual([]);
  });

  test('that Latchkey does not read are named once, where they first stand', () => {
    const other = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n---\n';
    const knative = 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x}\n';
    const { problems: told, unknownKinds, objects } = read(other + other + knative);
    expect(unknownKinds).toEqual([
      { kind: 'apps/v1 Deployment', origin: { file: 'a.yaml', line: 1, column: 1 } },
      { kind: 'serving.knative.dev/v1 Service', origin: { file: 'a.yaml', line: 9, column: 1 } },
    ]);
    expect([...told, ...objects]).toEqual([]);
  });
});

describe('a text that cannot be parsed', () => {
  test.for<[string, string]>([
    [
      'a: [1, 2\nb: 3\n',
      'a.yaml:2:1: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['a: 1\n  b: 2\n', 'a.yaml:1:4: Nested mappings are not allowed in compact mappings'],
    ['key: one\nkey: two\n', 'a.yaml:2:1: Map keys must be unique'],
    ['a: 1\n---\nb:\n\t- c\n', 'a.yaml:4:1: Tabs are not allowed as indentation'],
    ['a: *unknown\n', 'a.yaml:1:1: Unresolved alias'],
    ['a: &a [*a]\n', 'a.yaml:1:1: an alias stands inside its own anchor'],
  ])('%j says where', ([text, message]) => {
    expect(syntaxErrorOf(text)).toContain(message);
  });

  test.for([
    'a: |planted-key\n',
    'a: "\\qplanted-key"\n',
    'a: "x" planted-key\n',
    'a: @planted-key\n',
    'a: *planted-key\n',
    '}planted-key\n',
    ']]planted-key\n',
    'key: planted-key\n  more: planted-key\n',
    'a: "planted-key\n',
    '%planted-key\n',
    'a: !planted-key [\n',
    'planted-key',
    '{"a" planted-key}',
    '{"key": "planted-key",, }',
    '\u0007planted-key: [',
  ])('%j is never quoted', (text) => {
    let told = '';
    try {
      told = JSON.stringify(read(text).problems);
    } catch (error) {
      told = JSON.stringify(error) + (error as Error).message;
    }
    expect(told).not.toContain('planted');
  });

  test('so deeply nested that it cannot be read says so', () => {
    expect(syntaxErrorOf('['.repeat(100_000))).toMatch(/^a\.yaml:1:\d+: is nested too deeply$/);
  });

  test('aliases that would expand without end are refused', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}]`);
    expect(syntaxErrorOf(`l0: &l0 [x]\n${levels.join('\n')}\n`)).toMatch(/a\.yaml:1:1: Excessive alias count/);
  });
});
