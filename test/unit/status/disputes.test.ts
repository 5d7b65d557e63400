import pino from 'pino';
import { expect, test } from 'vitest';
import { createDisputes } from '#status/disputes.ts';
import { refIn } from '../../support/status-objects.ts';

const ref = refIn('default', 'KongPlugin', 'auth');
const logged: string[] = [];
const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });

test('whoever erases what we say is answered ever more slowly, ten minutes at most', () => {
  const disputes = createDisputes(log);
  const graces = Array.from({ length: 12 }, () => {
    const seconds = Math.round(disputes.leftMs(ref) / 1000);
    disputes.yielded(ref);
    disputes.settled(ref);
    return seconds;
  });
  expect(graces).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]);
  disputes.forget(ref);
  expect(Math.round(disputes.leftMs(ref) / 1000)).toBe(2);
});

test('each controller that writes what is ours is told once', () => {
  const disputes = createDisputes(log);
  for (const managers of [['a'], ['a'], ['b']]) disputes.tell(ref, managers, 'kong.latchkey.dev/Programmed');
  expect(logged).toHaveLength(2);
  expect(logged[0]).toContain('a writes the condition Programmed too, and says something else');
});
