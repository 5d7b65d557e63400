import { expect, onTestFinished, test } from 'vitest';
import type { Problem, Verdict } from '#resources/verdict.ts';
import { createTimedVerdicts } from '#status/timed-verdicts.ts';
import { until } from '../../support/until.ts';

const ref = { kind: 'Ingress', namespace: 'default', name: 'web' };
const problem = (message: string): Problem => ({
  reason: 'CertificateExpired',
  message,
  effect: 'served all the same',
});
const verdict = (timed: NonNullable<Verdict['timed']>): Verdict => ({
  ref,
  generation: 1,
  problems: [problem('lasting')],
  timed,
});

/** What is told, by the real clock: messages of each verdict, `-name` for what is forgotten. */
function started() {
  const told: string[][] = [];
  const checks = new Set<() => void>();
  const timed = createTimedVerdicts({
    tell(verdicts, forgotten) {
      told.push([
        ...verdicts.flatMap(({ problems }) => problems.map(({ message }) => message)),
        ...forgotten.map(({ name }) => `-${name}`),
      ]);
      expect(verdicts.some((each) => 'timed' in each)).toBe(false);
      for (const check of checks) check();
    },
  });
  onTestFinished(() => timed.stop());
  const untilTold = async (count: number): Promise<void> =>
    void (await until({
      what: `told ${count} times`,
      subscribe: (check) => {
        checks.add(check);
        return () => checks.delete(check);
      },
      holds: () => told.length >= count,
    }));
  return { timed, told, untilTold };
}

test('a problem comes and another goes when it is time, though nobody touches the object', async () => {
  const { timed, told, untilTold } = started();
  const nowMs = Date.now();
  timed.report(
    [
      verdict([
        { problem: problem('goes'), untilMs: nowMs + 40 },
        { problem: problem('comes'), fromMs: nowMs + 80 },
        { problem: problem('far'), fromMs: nowMs + 1e12 },
        { problem: problem('long ago'), untilMs: nowMs - 1 },
      ]),
    ],
    [],
  );
  expect(told).toEqual([['lasting', 'goes']]);
  await untilTold(3);
  expect(told).toEqual([['lasting', 'goes'], ['lasting'], ['lasting', 'comes']]);
});

test('a verdict that took its place, or went, is not told again', async () => {
  const { timed, told, untilTold } = started();
  const nowMs = Date.now();
  const late = [{ problem: problem('late'), fromMs: nowMs + 20 }];
  const other = { ...verdict([{ problem: problem('other'), fromMs: nowMs + 60 }]), ref: { ...ref, name: 'other' } };
  const gone = { ...verdict(late), ref: { ...ref, name: 'gone' } };
  timed.report([verdict(late), other, gone], []);
  timed.report([{ ref, generation: 2, problems: [] }], [gone.ref]);
  await untilTold(3);
  expect(told).toEqual([['lasting', 'lasting', 'lasting'], ['-gone'], ['lasting', 'other']]);
});
