import { describe, expect, test } from 'vitest';
import { allKinds } from '#resources/all-kinds.ts';
import { customResourceDefinition, fieldsOf } from '#resources/custom-resource-definition.ts';
import type { StructuralSchema } from '#resources/structural-schema.ts';

const ours = allKinds.filter(({ crd }) => crd !== undefined);

/** The paths of all fields that have no description. */
function undescribed(path: string, schema: StructuralSchema): string[] {
  const inside = { ...schema.properties, ...schema.items?.properties };
  const deeper = Object.entries(inside).flatMap(([name, field]) => undescribed(`${path}.${name}`, field));
  return schema.description === undefined ? [path, ...deeper] : deeper;
}

describe('a CustomResourceDefinition', () => {
  test('is made of every kind of the group that is ours, and of no other', () => {
    expect(ours.map(({ kind }) => kind)).toEqual(
      allKinds.filter(({ group }) => group === 'configuration.konghq.com').map(({ kind }) => kind),
    );
    expect(allKinds.filter(({ crd }) => crd === undefined).map(customResourceDefinition)).toEqual(
      allKinds.filter(({ crd }) => crd === undefined).map(() => undefined),
    );
  });

  test.for(ours)('of $kind describes every field', (kind) => {
    const fields = Object.entries(fieldsOf(kind).properties ?? {});
    expect(fields.flatMap(([name, schema]) => undescribed(name, schema))).toEqual([]);
  });

  test.for(ours)('of $kind has the status that is written to it, and the subresource with it', (kind) => {
    const { status } = fieldsOf(kind).properties ?? {};
    const text = JSON.stringify(customResourceDefinition(kind));
    expect([status !== undefined, text.includes('"subresources"')]).toEqual([
      kind.status !== undefined,
      kind.status !== undefined,
    ]);
  });
});
