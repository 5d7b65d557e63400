import { expect, test } from 'vitest';
import { reasons } from '#resources/reasons.ts';
import type { Effect, Problem } from '#resources/verdict.ts';
import {
  conditionIn,
  conditionOf,
  expirySayingOf,
  isInForce,
  sayingOf,
  says,
  type Condition,
} from '#status/conditions.ts';
import { badConfig, ignored, noSecret } from '../../support/status-objects.ts';

const ref = { kind: 'KongConsumer', namespace: 'default', name: 'alice' };
const verdict = (...problems: readonly Problem[]) => ({ ref, generation: 3, problems });
const now = new Date('2026-11-25T10:20:30.456Z');
const before: Condition = {
  type: 'Programmed',
  status: 'True',
  reason: 'Programmed',
  message: 'before',
  lastTransitionTime: '2020-01-01T00:00:00Z',
};

test('no problem is Programmed', () => {
  const saying = {
    status: 'True',
    reason: 'Programmed',
    message: 'In force: requests meet it.',
    observedGeneration: 3,
  };
  expect(sayingOf(verdict())).toEqual(saying);
});

test('without a generation none is observed', () => {
  expect(sayingOf({ ref, generation: undefined, problems: [] })).not.toHaveProperty('observedGeneration');
});

test('the worst problem gives the reason, all of them the message, each remedy stands once', () => {
  const { status, reason, message } = sayingOf(verdict(ignored, noSecret('a', 'x'), badConfig(), noSecret('a', 'y')));
  expect([status, reason]).toEqual(['False', 'InvalidConfig']);
  expect(message).toBe(
    '[1/4] config.key_names: expected an array – plugin not in force. ' +
      '[2/4] credentials[0]: Secret a/x does not exist – credential not in force. ' +
      '[3/4] credentials[0]: Secret a/y does not exist – credential not in force. ' +
      '[4/4] consumerGroups: is not supported yet – field ignored. ' +
      `${reasons.InvalidConfig.remedy} ${reasons.SecretNotFound.remedy} ${reasons.NotSupported.remedy}`,
  );
});

test('field and other object are named where the message does not', () => {
  const problem: Problem = { ...noSecret('a', 'x'), message: 'is not there' };
  const { message } = sayingOf(verdict(problem));
  expect(message).toMatch(/^credentials\[0\]: is not there \(Secret a\/x\) – credential not in force\. Create/);
});

test.for<[Effect, 'True' | 'False']>([
  ['object not in force', 'False'],
  ['plugin not in force', 'False'],
  ['route answers 503', 'False'],
  ['route not served', 'False'],
  ['credential not in force', 'False'],
  ['anonymous requests answer 500', 'False'],
  ['last good version in force', 'False'],
  ['the first is in force', 'True'],
  ['field ignored', 'True'],
])('%s: Programmed is %s', ([effect, status]) => {
  const told = verdict({ ...ignored, effect });
  expect(sayingOf(told).status).toBe(status);
  expect(isInForce(told)).toBe(status === 'True');
});

test.for(['x', 'ü', '漢', '😀'])('a long message of %s is cut within the limit, the remedy stays', (letter) => {
  const { message } = sayingOf(verdict(...Array.from({ length: 100 }, () => badConfig(letter.repeat(1000)))));
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(32_768);
  expect(Buffer.byteLength(message)).toBeGreaterThan(32_764);
  expect(message.endsWith(`… (cut: too long for a condition) ${reasons.InvalidConfig.remedy}`)).toBe(true);
  expect(message.isWellFormed()).toBe(true);
});

test('since when: kept while the status is the same, in whole seconds when it changes', () => {
  const kept = conditionOf('Programmed', sayingOf(verdict(ignored)), before, now);
  expect(kept.lastTransitionTime).toBe('2020-01-01T00:00:00Z');
  const changed = conditionOf('Programmed', sayingOf(verdict(badConfig())), before, now);
  expect(changed.lastTransitionTime).toBe('2026-11-25T10:20:30Z');
  expect(conditionOf('Programmed', sayingOf(verdict()), undefined, now).lastTransitionTime).toBe(
    '2026-11-25T10:20:30Z',
  );
});

test.for<[string, Partial<Condition>, boolean]>([
  ['another time', { lastTransitionTime: '2001-01-01T00:00:00Z' }, true],
  ['another status', { status: 'False' }, false],
  ['another reason', { reason: 'Ready' }, false],
  ['another message', { message: 'ready' }, false],
  ['another generation', { observedGeneration: 2 }, false],
])('with %s a condition says the same: %s', ([, change, isSame]) => {
  const condition = { ...conditionOf('Programmed', sayingOf(verdict()), undefined, now), ...change };
  expect(says(condition, sayingOf(verdict()))).toBe(isSame);
});

test.for([undefined, null, {}, { conditions: null }, { conditions: 'x' }, { conditions: [null] }])(
  'a status of %j has no condition',
  (status) => {
    expect(conditionIn(status, 'Programmed')).toBeUndefined();
  },
);

const expiring: Problem = {
  reason: 'CredentialExpiring',
  message: 'credentials[0]: Secret a/x expires at 2026-12-01T00:00:00Z',
  effect: 'in force until then',
};
const expired: Problem = {
  reason: 'CredentialExpired',
  message: 'credentials[1]: Secret a/y expired at 2026-11-01T00:00:00Z',
  effect: 'no longer in force, as it asks',
};

test('keys that end do what they ask for: Programmed does not speak of them', () => {
  expect(sayingOf(verdict(expiring, expired))).toEqual(sayingOf(verdict()));
  expect(isInForce(verdict(expiring, expired))).toBe(true);
  expect(sayingOf(verdict(expired, noSecret('a', 'z')))).toEqual(sayingOf(verdict(noSecret('a', 'z'))));
});

test('a condition of their own names them and the times, those that have ended first', () => {
  expect(expirySayingOf(verdict(noSecret('a', 'z')))).toBeUndefined();
  expect(expirySayingOf(verdict(expiring))).toMatchObject({ status: 'True', reason: 'CredentialExpiring' });
  const { status, reason, message, observedGeneration } = expirySayingOf(verdict(expiring, expired)) ?? {};
  expect([status, reason, observedGeneration]).toEqual(['True', 'CredentialExpired', 3]);
  expect(message).toBe(
    '[1/2] credentials[1]: Secret a/y expired at 2026-11-01T00:00:00Z – no longer in force, as it asks. ' +
      '[2/2] credentials[0]: Secret a/x expires at 2026-12-01T00:00:00Z – in force until then. ' +
      `${reasons.CredentialExpired.remedy} ${reasons.CredentialExpiring.remedy}`,
  );
});
