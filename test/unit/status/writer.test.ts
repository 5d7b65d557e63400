import pino from 'pino';
import { expect, test } from 'vitest';
import { ApiError } from '#resources/api-error.ts';
import { createWriter } from '#status/writer.ts';
import { until } from '../../support/until.ts';

/** A writer whose writes end when the test says so. */
function gatedWriter(concurrency = 1) {
  const begun: string[] = [];
  const open: { key: string; end: PromiseWithResolvers<number | undefined> }[] = [];
  const pauses: number[] = [];
  const logged: string[] = [];
  const listeners = new Set<() => void>();
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
  const writer = createWriter({
    log,
    concurrency,
    pause: (ms) => void pauses.push(ms),
    async write(key) {
      const end = Promise.withResolvers<number | undefined>();
      begun.push(key);
      open.push({ key, end });
      for (const listener of listeners) listener();
      return end.promise;
    },
  });
  return {
    writer,
    begun,
    pauses,
    logged,
    /** Ends the oldest write that is under way, well or with an error. */
    end(error?: Error): void {
      const oldest = open.shift()?.end;
      if (error === undefined) oldest?.resolve(undefined);
      else oldest?.reject(error);
    },
    hasBegun: async (count: number) =>
      until({
        what: `${count} writes`,
        holds: () => begun.length >= count,
        subscribe(check) {
          listeners.add(check);
          return () => listeners.delete(check);
        },
      }),
  };
}

test('a key that waits is written once, one that is being written is written again', async () => {
  const { writer, begun, end, hasBegun } = gatedWriter();
  for (const key of ['a', 'b', 'b', 'a', 'a']) writer.add(key);
  expect(begun).toEqual(['a']);
  end();
  await hasBegun(2);
  end();
  await hasBegun(3);
  expect(begun).toEqual(['a', 'b', 'a']);
  end();
  await writer.stop();
});

test('no more writes than allowed are under way, and no key twice', async () => {
  const { writer, begun, end } = gatedWriter(2);
  for (const key of ['a', 'a', 'b', 'c']) writer.add(key);
  expect(begun).toEqual(['a', 'b']);
  const stopped = writer.stop();
  end();
  end();
  await stopped;
  expect(begun).toEqual(['a', 'b']);
});

test('what fails is tried again', async () => {
  const { writer, begun, end, hasBegun } = gatedWriter();
  writer.add('a');
  end(new Error('connect ECONNREFUSED'));
  await hasBegun(2);
  end(new ApiError(429, 'TooManyRequests', 'busy', 7));
  await hasBegun(3);
  end();
  await writer.stop();
  expect(begun).toEqual(['a', 'a', 'a']);
});

test('the rest that the API server asks for is for all writes', async () => {
  const { writer, pauses, end, hasBegun } = gatedWriter();
  writer.add('a');
  end(new ApiError(429, 'TooManyRequests', 'busy', 7));
  await hasBegun(2);
  expect(pauses).toEqual([7000]);
  end();
  await writer.stop();
});

test('what is gone is not tried again, and what is refused is told once', async () => {
  const { writer, begun, end, hasBegun, logged } = gatedWriter();
  for (const key of ['gone', 'refused', 'refused too', 'good']) writer.add(key);
  end(new ApiError(404, 'NotFound', 'not found'));
  await hasBegun(2);
  end(new ApiError(422, 'Invalid', 'must not'));
  await hasBegun(3);
  end(new ApiError(422, 'Invalid', 'must not'));
  await hasBegun(4);
  end();
  await writer.stop();
  expect(begun).toEqual(['gone', 'refused', 'refused too', 'good']);
  expect(logged).toHaveLength(1);
});

test('what waits is forgotten', async () => {
  const { writer, begun, end } = gatedWriter();
  for (const key of ['a', 'b']) writer.add(key);
  writer.clear();
  end();
  await writer.stop();
  expect(begun).toEqual(['a']);
});
