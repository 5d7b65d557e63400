import { expect, test } from 'vitest';
import { fieldManagerOf, fieldsHeldAlone, managersIn, mayTakeFrom } from '#status/field-owners.ts';

const ours = fieldManagerOf('kong');

test('the managers that a refusal names', () => {
  const one = 'Apply failed with 1 conflict: conflict with "kubectl-edit" with subresource "status" using v1: .status';
  expect(managersIn(one)).toEqual(['kubectl-edit']);
  const more =
    'Apply failed with 3 conflicts: conflicts with "a b" using v1:\n- .x\n- .y\nconflicts with "c" using v1:\n- .z';
  expect(managersIn(more)).toEqual(['a b', 'c']);
  expect(managersIn('the object has been modified')).toEqual([]);
});

test.for([
  ['kubectl-edit', true],
  ['kubectl-client-side-apply', true],
  ['before-first-apply', true],
  ['kong-operator', false],
  ['manager', false],
  ['latchkey-status-kong', true],
  ['latchkey-status-other', true],
  ['latchkey-status-internal', false],
] as const)('from %s fields are taken: %s', ([manager, isTaken]) => {
  expect(mayTakeFrom(manager, ours)).toBe(isTaken);
});

test('of two classes exactly one yields', () => {
  const other = fieldManagerOf('other');
  expect([mayTakeFrom(other, ours), mayTakeFrom(ours, other)]).toEqual([true, false]);
});

test('a long class makes a manager that the API server takes', () => {
  expect(fieldManagerOf('c'.repeat(253))).toHaveLength(128);
});

const held = (manager: string, ...fields: readonly string[]) => {
  const condition = Object.fromEntries(fields.map((field) => [field, {}]));
  const fieldsV1 = { 'f:status': { 'f:conditions': { 'k:{"type":"Programmed"}': condition } } };
  return { manager, operation: 'Apply', subresource: 'status', fieldsV1 };
};

test.for([
  ['all of it', [held(ours, '.', 'f:type', 'f:status')], ['type', 'status']],
  ['what another did not take', [held(ours, '.', 'f:reason'), held('x', 'f:status')], ['type', 'reason']],
  ['nothing that is shared', [held(ours, '.', 'f:reason'), held('x', '.', 'f:reason', 'f:status')], []],
  ['nothing', [held('x', '.', 'f:status')], []],
] as const)('we hold alone: %s', ([, managedFields, fields]) => {
  const metadata = { name: 'auth', managedFields } as { name: string };
  const object = { apiVersion: 'configuration.konghq.com/v1', kind: 'KongPlugin', metadata };
  expect(fieldsHeldAlone(object, ours, 'Programmed')).toEqual(fields);
});
