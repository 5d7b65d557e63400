import { expect, test } from 'vitest';
import { kongConsumer } from '#resources/kong-consumer.ts';
import { refKey, refOfKey } from '#resources/ref.ts';
import { createStore } from '#store/store.ts';
import { consumer } from '../../support/objects.ts';

const object = consumer({ name: 'a', username: 'a', credentials: [], created: undefined, class: 'kong' });

test.each([
  { namespace: 'default', name: 'a' },
  { namespace: 'default', name: 'a/b' }, // files hold what the API server would not take
  { namespace: 'a/b', name: 'c' },
])('an object keeps its ref: $namespace $name', ({ namespace, name }) => {
  const store = createStore();
  const ref = { kind: kongConsumer.kind, namespace, name };
  store.record({ type: 'put', ref, object });
  expect(store.find(ref)).toMatchObject({ ref, key: refKey(ref), object });
  expect(store.findByKey(refKey(ref))?.ref).toEqual(ref);
  expect(refKey(refOfKey(refKey(ref)))).toBe(refKey(ref));
});

test('objects are listed by namespace and name', () => {
  const store = createStore();
  for (const name of ['b', 'a', 'c']) {
    store.record({
      type: 'put',
      ref: { kind: kongConsumer.kind, namespace: 'default', name },
      object: { ...object, metadata: { name } },
    });
  }
  expect(store.list(kongConsumer).map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'c']);
});
