import { describe, expect, test } from 'vitest';
import { pluginOrder } from '#plugins/plugin.ts';
import { orderTypes } from '#translate/plugin-order.ts';

const usual = (types: readonly string[]): string[] => pluginOrder.filter((type) => types.includes(type));
const first = 'key-auth';
const second = 'request-termination';

const ordered = (orderings: Readonly<Record<string, { before?: string[]; after?: string[] }>>) =>
  orderTypes(
    new Map(Object.entries(orderings).map(([type, { before = [], after = [] }]) => [type, [{ before, after }]])),
  );

describe('types of plugins', () => {
  test('stand in their usual order', () => {
    expect(ordered({ [second]: {}, [first]: {} })).toEqual({ types: usual([first, second]) });
  });

  test('one that asks to run before another does', () => {
    expect(ordered({ [first]: {}, [second]: { before: [first] } })).toEqual({ types: [second, first] });
  });

  test('one that asks to run after another does', () => {
    expect(ordered({ [first]: { after: [second] }, [second]: {} })).toEqual({ types: [second, first] });
  });

  test('what asks for what is so changes nothing', () => {
    expect(ordered({ [first]: { before: [second] }, [second]: { after: [first] } })).toEqual({
      types: [first, second],
    });
  });

  test('one that the route does not have orders nothing', () => {
    expect(ordered({ [first]: { after: [second] } })).toEqual({ types: [first] });
  });

  test('two that contradict each other have no order', () => {
    expect(ordered({ [first]: { before: [second] }, [second]: { before: [first] } })).toHaveProperty('cycle');
    expect(ordered({ [first]: { before: [first] } })).toHaveProperty('cycle');
  });
});
