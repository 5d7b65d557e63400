/** What is stated of an object, by what the API server says whose fields are whose. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { changingApply, creatingApply, extractOwned, removalPatch } from '#source/apply-patch.ts';
import { authored } from '#source/authored.ts';

type Json = Readonly<Record<string, unknown>>;

const entry = (manager: string, fieldsV1: object, more: object = {}) => ({
  manager,
  operation: 'Apply',
  fieldsV1,
  ...more,
});

/** An object with these fields, of which managers own what is said. */
function tracked(fields: Json, managedFields: readonly object[] | undefined, metadata: Json = {}): KubernetesObject {
  const given = { uid: 'u', resourceVersion: '7', generation: 2, creationTimestamp: '2026-01-01T00:00:00Z' };
  return {
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    metadata: { name: 'thing', namespace: 'default', ...given, ...metadata, ...(managedFields && { managedFields }) },
    ...fields,
    status: { conditions: [] },
  };
}

const wantedOf = (object: KubernetesObject, fields: Json): KubernetesObject => ({ ...authored(object), ...fields });

/** What is stated of the object, without what only names it. */
function statedOf(object: KubernetesObject, fields: Json): Json | undefined {
  const body = changingApply(object, wantedOf(object, fields), 'us');
  if (body === undefined) return undefined;
  const { apiVersion, kind, metadata, ...rest } = body;
  expect({ apiVersion, kind }).toEqual({ apiVersion: 'example.com/v1', kind: 'Thing' });
  const { name, namespace, uid, resourceVersion, ...others } = metadata;
  expect({ name, namespace, uid, resourceVersion }).toEqual({
    name: 'thing',
    namespace: 'default',
    uid: 'u',
    resourceVersion: '7',
  });
  return Object.keys(others).length === 0 ? rest : { ...rest, metadata: others };
}

/** Paths that are removed when the apply has changed nothing. */
const removedPaths = (object: KubernetesObject, fields: Json): string[] =>
  (removalPatch(object, wantedOf(object, fields), object) ?? []).slice(1).map(({ path }) => path);

const sets = (...managers: readonly [string, readonly string[]][]) =>
  managers.map(([manager, items]) =>
    entry(manager, { 'f:items': Object.fromEntries(items.map((item) => [`v:${JSON.stringify(item)}`, {}])) }),
  );

describe('of what is ours', () => {
  test('nothing is, where no entry is ours', () => {
    expect(extractOwned(tracked({ a: 1 }, [entry('them', { 'f:a': {} })]), 'us')).toEqual({});
    expect(extractOwned(tracked({ a: 1 }, undefined), 'us')).toEqual({});
  });

  test('scalars, atomic lists and maps are whole, what lies in a map is told apart', () => {
    const fields = { a: 1, b: [1, 2], c: { x: 1, y: 2 }, d: { only: { z: 3, w: 4 } } };
    const ours = { 'f:a': {}, 'f:b': {}, 'f:c': { 'f:x': {} }, 'f:d': { '.': {}, 'f:only': {} } };
    const object = tracked(fields, [entry('us', ours)]);
    expect(extractOwned(object, 'us')).toEqual({ a: 1, b: [1, 2], c: { x: 1 }, d: { only: { z: 3, w: 4 } } });
  });

  test('an empty map that others filled is still empty', () => {
    const theirs = entry('them', { 'f:c': { 'f:x': {} } });
    expect(extractOwned(tracked({ c: { x: 1 } }, [entry('us', { 'f:c': {} }), theirs]), 'us')).toEqual({ c: {} });
  });

  test('both of our entries count, and none for a subresource', () => {
    const update = entry('us', { 'f:b': {} }, { operation: 'Update' });
    const status = entry('us', { 'f:c': {} }, { subresource: 'status' });
    const object = tracked({ a: 1, b: 2, c: 3 }, [entry('us', { 'f:a': {} }), update, status]);
    expect(extractOwned(object, 'us')).toEqual({ a: 1, b: 2 });
  });

  test('items of a set are told by value, in any way that JSON can be written', () => {
    const parts = { 'v:"a<b"': {}, 'v:"\\u003e"': {}, 'v:2': {} };
    const object = tracked({ items: ['a<b', '>', 2, 'c'] }, [entry('us', { 'f:items': parts })]);
    expect(extractOwned(object, 'us')).toEqual({ items: ['a<b', '>', 2] });
  });

  test('items of a keyed list are told by their keys, which are stated with them', () => {
    const parts = { 'k:{"protocol":"TCP","port":80}': { '.': {}, 'f:port': {}, 'f:name': {} } };
    const ports = [
      { port: 80, protocol: 'TCP', name: 'web', targetPort: 8080 },
      { port: 80, protocol: 'UDP', name: 'other' },
    ];
    const object = tracked({ ports }, [entry('us', { 'f:ports': parts })]);
    expect(extractOwned(object, 'us')).toEqual({ ports: [{ port: 80, protocol: 'TCP', name: 'web' }] });
  });

  test('what the API server gives is never ours', () => {
    const fields = { 'f:metadata': { 'f:labels': { 'f:a': {} }, 'f:generation': {} }, 'f:status': { 'f:x': {} } };
    const object = tracked({}, [entry('us', fields)], { labels: { a: '1', b: '2' } });
    expect(extractOwned(object, 'us')).toEqual({ metadata: { labels: { a: '1' } } });
  });
});

describe('of a change', () => {
  test('what changes is stated, with what is ours and stays, and nothing of others', () => {
    const object = tracked({ a: 1, b: { x: 1, y: 1, z: 1 }, c: 1 }, [
      entry('us', { 'f:b': { 'f:x': {} } }),
      entry('them', { 'f:a': {}, 'f:b': { '.': {}, 'f:y': {}, 'f:z': {} }, 'f:c': {} }),
    ]);
    expect(statedOf(object, { b: { x: 1, y: 2, z: 1 } })).toEqual({ b: { x: 1, y: 2 } });
  });

  test('what is new is stated whole', () => {
    const object = tracked({}, [entry('them', { 'f:a': {} })]);
    expect(statedOf(object, { b: { x: [1] } })).toEqual({ b: { x: [1] } });
  });

  test('what is ours and shall go is still stated, since it goes by a removal', () => {
    const object = tracked({ a: 1, b: 1 }, [entry('us', { 'f:a': {}, 'f:b': {} })]);
    expect(statedOf(object, { b: undefined })).toBeUndefined();
    expect(statedOf(object, { a: 2, b: undefined })).toEqual({ a: 2, b: 1 });
    expect(removedPaths(object, { a: 2, b: undefined })).toEqual(['/b']);
  });

  test('nothing is stated when nothing of ours changes', () => {
    const object = tracked({ a: 1, b: 1 }, [entry('us', { 'f:a': {} }), entry('them', { 'f:b': {} })]);
    expect(statedOf(object, {})).toBeUndefined();
    expect(statedOf(object, { b: undefined })).toBeUndefined();
  });

  test('a set states our items and the new one', () => {
    const object = tracked({ items: ['a', 'b', 'c'] }, sets(['us', ['a']], ['them', ['b', 'c']]));
    expect(statedOf(object, { items: ['a', 'b', 'c', 'd'] })).toEqual({ items: ['a', 'd'] });
    expect(statedOf(object, { items: ['b', 'c', 'd'] })).toEqual({ items: ['a', 'd'] });
    expect(statedOf(object, { items: ['b', 'c'] })).toBeUndefined();
    expect(statedOf(object, { items: ['c', 'b', 'a'] })).toBeUndefined();
  });

  test('an atomic list or map is stated whole', () => {
    const object = tracked({ list: ['a', 'b'], map: { x: 1, y: 1 } }, [entry('them', { 'f:list': {}, 'f:map': {} })]);
    expect(statedOf(object, { list: ['a'] })).toEqual({ list: ['a'] });
    expect(statedOf(object, { map: { x: 2, y: 1 } })).toEqual({ map: { x: 2, y: 1 } });
  });

  test('where nothing is tracked, only what changes is stated', () => {
    expect(statedOf(tracked({ a: { x: 1, y: 1 } }, undefined), { a: { x: 2, y: 1 } })).toEqual({ a: { x: 2 } });
  });

  test('an item of a keyed list is changed by its keys', () => {
    const parts = {
      'k:{"port":80}': { '.': {}, 'f:port': {}, 'f:name': {} },
      'k:{"port":81}': { '.': {}, 'f:port': {} },
    };
    const object = tracked({ ports: [{ port: 80, name: 'a' }, { port: 81 }] }, [entry('them', { 'f:ports': parts })]);
    expect(statedOf(object, { ports: [{ port: 80, name: 'b' }, { port: 81 }] })).toEqual({
      ports: [{ port: 80, name: 'b' }],
    });
  });

  test('a new object is stated whole, for a version that no object has', () => {
    const wanted = wantedOf(tracked({ a: 1 }, undefined), {});
    expect(creatingApply(wanted)).toEqual({ ...wanted, metadata: { ...wanted.metadata, resourceVersion: '1' } });
  });
});

describe('of what others own too', () => {
  test('fields are removed by their path', () => {
    const object = tracked({ 'a/b~c': 1, b: { x: 1, y: 1 } }, [entry('them', { 'f:a/b~c': {}, 'f:b': { 'f:x': {} } })]);
    expect(removedPaths(object, { 'a/b~c': undefined, b: { y: 1 } })).toEqual(['/a~1b~0c', '/b/x']);
  });

  test('items of a set are removed from the last to the first', () => {
    const object = tracked({ items: ['a', 'b', 'c', 'd'] }, sets(['them', ['a', 'b', 'c', 'd']]));
    expect(removedPaths(object, { items: ['b'] })).toEqual(['/items/3', '/items/2', '/items/0']);
  });

  test('what has gone already, was not there before or cannot be told apart is left alone', () => {
    const object = tracked({ items: ['a', 'b'], list: [1, 2], old: 1 }, [
      ...sets(['them', ['a', 'b']]),
      entry('them', { 'f:list': {} }),
    ]);
    const now = tracked({ items: ['b', 'new'], list: [1, 2], other: 1 }, undefined);
    const wanted = wantedOf(object, { items: ['b'], list: [1], old: undefined });
    expect(removalPatch(object, wanted, now)).toBeUndefined();
  });

  test('the removal is for the version that the apply made', () => {
    const object = tracked({ a: 1 }, [entry('them', { 'f:a': {} })]);
    const now = tracked({ a: 1 }, undefined, { resourceVersion: '9' });
    expect(removalPatch(object, wantedOf(object, { a: undefined }), now)).toEqual([
      { op: 'replace', path: '/metadata/resourceVersion', value: '9' },
      { op: 'remove', path: '/a' },
    ]);
  });
});

describe('of a Secret', () => {
  test('stringData is data, and wins', () => {
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { a: 'eA==', b: 'eQ==' } };
    expect(authored({ ...object, stringData: { a: 'é' } })['data']).toEqual({ a: btoa('Ã©'), b: 'eQ==' });
    expect(authored({ ...object, stringData: { a: 'é' } })).not.toHaveProperty('stringData');
  });
});

/**
 * What the API server does, as far as it matters here: it tracks each field of an object with what an
 * apply states, lists of names as sets, and merges what managers state.
 */
const keys = fc.constantFrom('a', 'b', 'c', 'f:', '.', 'k:x');
const leaf = fc.oneof(
  fc.integer(),
  fc.string({ maxLength: 3 }),
  fc.boolean(),
  fc.array(fc.integer(), { maxLength: 2 }),
);
const set = fc.uniqueArray(fc.constantFrom('p', 'q', 'r', '"', '<'), { minLength: 1 }).map((items) => ({ set: items }));
const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.dictionary(keys, fc.oneof({ maxDepth: 3 }, leaf, set, tie('tree')), { maxKeys: 3 }),
}));

const isSet = (value: unknown): value is { set: string[] } =>
  typeof value === 'object' && value !== null && Array.isArray((value as { set?: unknown }).set);
const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object that a tree stands for. */
function valueOf(node: unknown): unknown {
  if (isSet(node)) return node.set;
  return isMap(node) ? Object.fromEntries(Object.entries(node).map(([name, inner]) => [name, valueOf(inner)])) : node;
}

function trackedOf(node: unknown): Json {
  if (isSet(node)) return Object.fromEntries(node.set.map((item) => [`v:${JSON.stringify(item)}`, {}]));
  if (!isMap(node)) return {};
  const inner = Object.entries(node).map(([name, value]) => [`f:${name}`, trackedOf(value)]);
  return inner.length === 0 ? {} : Object.fromEntries([['.', {}], ...inner]);
}

/** What two managers that agree state together; where they do not, the second has the field. */
function merged(a: unknown, b: unknown): unknown {
  if (isSet(a) && isSet(b)) return { set: [...new Set([...a.set, ...b.set])] };
  if (!isMap(a) || !isMap(b) || isSet(a) || isSet(b)) return b;
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(
    names.map((name) => [
      name,
      !Object.hasOwn(a, name) ? b[name] : Object.hasOwn(b, name) ? merged(a[name], b[name]) : a[name],
    ]),
  );
}

const inSpec = (node: unknown) => ({ spec: node });

describe('whatever is applied', () => {
  test('is what is extracted, whoever else owns what of the object', () => {
    fc.assert(
      fc.property(tree, tree, (theirs, ours) => {
        const object = tracked(valueOf(inSpec(merged(theirs, ours))) as Json, [
          entry('them', trackedOf(inSpec(theirs))),
          entry('us', trackedOf(inSpec(ours))),
        ]);
        const extracted = extractOwned(object, 'us');
        expect(sorted(extracted)).toEqual(sorted(valueOf(inSpec(ours))));
      }),
    );
  });

  test('nothing is written when nothing changes', () => {
    fc.assert(
      fc.property(tree, tree, (theirs, ours) => {
        const object = tracked(valueOf(inSpec(merged(theirs, ours))) as Json, [
          entry('them', trackedOf(inSpec(theirs))),
          entry('us', trackedOf(inSpec(ours))),
        ]);
        expect(statedOf(object, {})).toBeUndefined();
        expect(removedPaths(object, {})).toEqual([]);
      }),
    );
  });
});

/** Sets in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => JSON.stringify(item)).toSorted();
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, sorted(inner)])) : value;
}
