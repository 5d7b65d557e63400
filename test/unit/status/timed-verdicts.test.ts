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

/** When the clock of a test begins. */
const beginMs = Date.now();

/**
 * What is told, by real timers and a clock that is moved by hand (two turns may be due when a timer comes late):
 * messages of each verdict, `-name` for what is forgotten.
 */
function started() {
  const clock = { nowMs: beginMs };
  const told: string[][] = [];
  const checks = new Set<() => void>();
  const timed = createTimedVerdicts({
    now: () => clock.nowMs,
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
  return { timed, clock, told, untilTold };
}

test('a problem comes and another goes when it is time, though nobody touches the object', async () => {
  const { timed, clock, told, untilTold } = started();
  timed.report(
    [
      verdict([
        { problem: problem('goes'), untilMs: beginMs + 40 },
        { problem: problem('comes'), fromMs: beginMs + 80 },
        { problem: problem('far'), fromMs: beginMs + 1e12 },
        { problem: problem('long ago'), untilMs: beginMs - 1 },
      ]),
    ],
    [],
  );
  expect(told).toEqual([['lasting', 'goes']]);
  clock.nowMs = beginMs + 40;
  await untilTold(2);
  clock.nowMs = beginMs + 80;
  await untilTold(3);
  expect(told).toEqual([['lasting', 'goes'], ['lasting'], ['lasting', 'comes']]);
});

test('a verdict that took its place, or went, is not told again', async () => {
  const { timed, clock, told, untilTold } = started();
  const late = [{ problem: problem('late'), fromMs: beginMs + 20 }];
  const other = { ...verdict([{ problem: problem('other'), fromMs: beginMs + 60 }]), ref: { ...ref, name: 'other' } };
  const gone = { ...verdict(late), ref: { ...ref, name: 'gone' } };
  timed.report([verdict(late), other, gone], []);
  timed.report([{ ref, generation: 2, problems: [] }], [gone.ref]);
  clock.nowMs = beginMs + 60;
  await untilTold(3);
  expect(told).toEqual([['lasting', 'lasting', 'lasting'], ['-gone'], ['lasting', 'other']]);
});
