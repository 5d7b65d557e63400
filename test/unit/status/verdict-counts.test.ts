import { expect, test } from 'vitest';
import type { Problem, Verdict } from '#resources/verdict.ts';
import { createVerdictCounts } from '#status/verdict-counts.ts';

const verdictOf = (...problems: readonly Partial<Problem>[]): Verdict => ({
  ref: { kind: 'KongConsumer', namespace: 'default', name: 'bob' },
  generation: 1,
  problems: problems.map((problem) => ({
    reason: 'SecretNotFound',
    message: 'a message',
    effect: 'credential not in force',
    ...problem,
  })),
});
const expiring: Partial<Problem> = { reason: 'CredentialExpiring', effect: 'in force until then' };

function start() {
  const counts = createVerdictCounts();
  const read = () => ({
    objects: Object.fromEntries(counts.objects.get('KongConsumer') ?? []),
    notInForce: counts.notInForce(),
    expiring: counts.expiringCredentials(),
  });
  return { counts, read };
}

test('an object is counted by its latest verdict alone', () => {
  const { counts, read } = start();
  const [broken, fine] = [verdictOf({}, expiring, expiring), verdictOf()];
  counts.replace(undefined, broken);
  expect(read()).toEqual({ objects: { SecretNotFound: 1 }, notInForce: 1, expiring: 2 });
  counts.replace(broken, fine);
  expect(read()).toEqual({ objects: { SecretNotFound: 0, Programmed: 1 }, notInForce: 0, expiring: 0 });
  counts.replace(fine, undefined);
  expect(read()).toEqual({ objects: { SecretNotFound: 0, Programmed: 0 }, notInForce: 0, expiring: 0 });
});

test('what only ends soon is in force; what is not ours is told as such', () => {
  const { counts, read } = start();
  counts.replace(undefined, verdictOf(expiring));
  counts.replace(undefined, { ...verdictOf(), notOurs: 'its class is nginx' });
  expect(read()).toEqual({ objects: { Programmed: 1, NotOurs: 1 }, notInForce: 0, expiring: 1 });
});
