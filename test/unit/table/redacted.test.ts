import { inspect } from 'node:util';
import { Equal } from 'typebox/value';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { Redacted } from '#table/redacted.ts';

const hidden = new Redacted('s3cret');

function logged(value: object): string {
  const lines: string[] = [];
  pino({}, { write: (line) => void lines.push(line) }).info(value, 'said');
  return lines.join('');
}

describe('a redacted value', () => {
  test('is there for whoever uses it', () => {
    expect(hidden.reveal()).toBe('s3cret');
  });

  test.for([
    ['JSON', JSON.stringify({ hidden })],
    ['an inspection', inspect({ hidden }, { depth: 9 })],
    ['an inspection of what is hidden', inspect({ hidden }, { showHidden: true, customInspect: false })],
    ['text', String(hidden)],
    ['a template', `${hidden.toString()} ${[hidden].join(',')}`],
    ['a log', logged({ hidden, err: Object.assign(new Error('with it'), { hidden }) })],
    ['a copy', inspect(Object.assign({}, hidden), { showHidden: true })],
    ['a structured clone', inspect(structuredClone({ hidden }), { showHidden: true })],
  ])('is not in %s', ([, text]) => {
    expect(text).not.toContain('s3cret');
  });

  test('equals another of the same value, and no other', () => {
    expect(Equal({ key: hidden }, { key: new Redacted('s3cret') })).toBe(true);
    expect(Equal({ key: hidden }, { key: new Redacted('another') })).toBe(false);
  });
});
