import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { Verdict } from '#resources/verdict.ts';
import { createReporter } from '#status/reporter.ts';

/** A reporter, and the messages that it logged. */
function started() {
  const messages: string[] = [];
  const log = pino({}, { write: (line) => void messages.push((JSON.parse(line) as { msg: string }).msg) });
  return { reporter: createReporter(log), messages };
}

const on = (name: string, fields: Partial<Verdict> = {}): Verdict => ({
  ref: { kind: 'KongConsumer', namespace: 'default', name },
  generation: 3,
  problems: [],
  ...fields,
});

const broken: Partial<Verdict> = {
  problems: [{ reason: 'SecretNotFound', message: 'no Secret', effect: 'credential not in force' }],
};

test('all verdicts come back as they were reported, by ref', () => {
  const verdicts = [
    on('a'),
    on('b', broken),
    on('c', { generation: undefined }),
    on('d', { notOurs: 'another class' }),
    on('e/f'),
  ];
  const { reporter } = started();
  reporter.report([...verdicts].reverse(), []);
  expect(reporter.all()).toEqual(verdicts);
  reporter.report([], [on('a').ref]);
  expect(reporter.all()).toEqual(verdicts.slice(1));
});

test('a problem is logged once, and that it is over', () => {
  const { reporter, messages } = started();
  reporter.report([on('a')], []);
  reporter.report([on('a', broken)], []);
  reporter.report([on('a', { ...broken, generation: 4 })], []);
  reporter.report([on('a')], []);
  reporter.report([on('a', { generation: 5 })], []);
  expect(messages).toEqual(['KongConsumer default/a: no Secret', 'KongConsumer default/a: is in force']);
  expect(reporter.counts.notInForce()).toBe(0);
});
