import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { packObject, unpackObject } from '#store/packed-object.ts';

const object = (fields: object): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'a' },
  ...fields,
});

/** Texts that look like what is around them, or like what stands for them. */
const oddText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a:', '":', '\\', '\\":', '\n', '\u0000', '\u2028', '{"a":1}', '-1', 'é', '\ud800', 'apiVersion'),
);
const anyFields = fc.dictionary(oddText, fc.jsonValue({ stringUnit: 'binary' }));

describe('a packed object', () => {
  test('comes back as it was, whatever is in it', () => {
    fc.assert(
      fc.property(anyFields, fc.dictionary(oddText, oddText), oddText, (fields, labels, apiVersion) => {
        const given = object({ ...fields, apiVersion, metadata: { name: 'a', labels } });
        // What JSON cannot say (-0) was gone before.
        const written = JSON.parse(JSON.stringify(given)) as KubernetesObject;
        expect(unpackObject(packObject(written))).toEqual(written);
      }),
      { numRuns: 500 },
    );
  });

  test('has a field of any name, `__proto__` included', () => {
    const given = JSON.parse(
      '{"apiVersion":"v1","kind":"K","metadata":{"name":"a"},"__proto__":{"b":1}}',
    ) as KubernetesObject;
    expect(Object.keys(unpackObject(packObject(given)))).toEqual(Object.keys(given));
  });

  test('may have a text of many megabytes', () => {
    const given = object({ type: 'x'.repeat(1e7), other: '\\"'.repeat(5e6) });
    expect(unpackObject(packObject(given))).toEqual(given);
  });

  test('shares its shape with those of other values, and keeps those alone', () => {
    const [one, other] = ['x', 'y'].map((name) =>
      packObject(object({ metadata: { name, generation: name === 'x' ? 1 : 22 }, type: 'Opaque' })),
    );
    expect(one?.shape).toBe(other?.shape);
    expect([one?.values, other?.values]).toEqual(['x\n1', 'y\n22']);
  });

  test('comes back though more shapes than are remembered came after it', () => {
    const packed = packObject(object({ first: 1 }));
    for (let i = 0; i < 3_000; i += 1) packObject(object({ [`field-${i}`]: 1 }));
    expect(unpackObject(packed)).toEqual(object({ first: 1 }));
    expect(unpackObject(packObject(object({ first: 2 })))).toEqual(object({ first: 2 }));
  });
});
