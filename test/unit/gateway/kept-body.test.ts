import { expect, test } from 'vitest';
import { keptBody } from '#gateway/kept-body.ts';

/** A source whose parts a test hands out one by one. */
function handSource() {
  const asked: PromiseWithResolvers<Buffer | undefined>[] = [];
  const served: Buffer[] = [];
  let isClosed = false;
  const source = (async function* give(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const next = Promise.withResolvers<Buffer | undefined>();
        asked.push(next);
        const part = await next.promise;
        if (part === undefined) return;
        served.push(part);
        yield part;
      }
    } finally {
      isClosed = true;
    }
  })();
  return {
    source,
    give: (text?: string): void => asked.at(-1)?.resolve(text === undefined ? undefined : Buffer.from(text)),
    fail: (): void => asked.at(-1)?.reject(new Error('the client left')),
    asked: (): number => asked.length,
    isClosed: (): boolean => isClosed,
  };
}

/** A body whose first part, `a`, was read. */
async function begunBody() {
  const hand = handSource();
  const body = keptBody(hand.source);
  const first = body.read();
  const begun = first.next();
  hand.give('a');
  await begun;
  return { ...hand, body, first };
}

const textOf = ({ value }: IteratorResult<Buffer, unknown>): string | undefined =>
  Buffer.isBuffer(value) ? value.toString() : undefined;

/** The rest of what a reader gets. */
async function restOf(reader: AsyncGenerator<Buffer>): Promise<string[]> {
  const parts: string[] = [];
  for await (const part of reader) parts.push(part.toString());
  return parts;
}

async function* of(...parts: readonly string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

test('a body is had again from its start', async () => {
  const body = keptBody(of('a', 'b', 'c'));
  expect(await restOf(body.read())).toEqual(['a', 'b', 'c']);
  expect(await restOf(body.read())).toEqual(['a', 'b', 'c']);
});

test('what is on its way when the reader is replaced goes to the next, once', async () => {
  const { source, give, asked } = handSource();
  const body = keptBody(source);
  const first = body.read();
  const [begun] = [first.next()];
  give('a');
  expect(textOf(await begun)).toBe('a');
  const stale = first.next(); // waits for the second part
  const second = body.read();
  expect(textOf(await second.next())).toBe('a');
  const next = second.next();
  give('b');
  expect(textOf(await next)).toBe('b');
  expect(await stale).toEqual({ done: true, value: undefined });
  const last = second.next();
  expect(asked()).toBe(3);
  give();
  expect((await last).done).toBe(true);
});

test('a part that comes while the next reader is behind is not lost, even where it is too much to keep', async () => {
  const { body, first, give } = await begunBody();
  const stale = first.next();
  const second = body.read();
  expect(textOf(await second.next())).toBe('a');
  give('b'.repeat(70_000));
  await stale;
  expect(body.isKept()).toBe(false);
  expect(textOf(await second.next())).toBe('b'.repeat(70_000));
});

test('of a body that is long the start is forgotten, and nothing else', async () => {
  const parts = Array.from({ length: 10 }, (_, i) => String(i).repeat(10_000));
  const body = keptBody(of(...parts));
  expect(await restOf(body.read())).toEqual(parts);
  expect(body.isKept()).toBe(false);
  await expect(body.read().next()).rejects.toThrow('is gone');
});

test('a reader that is behind gets all when the rest is forgotten', async () => {
  const body = keptBody(of('a', 'b', 'c'));
  await restOf(body.read());
  const second = body.read();
  expect(textOf(await second.next())).toBe('a');
  body.forget();
  expect(await restOf(second)).toEqual(['b', 'c']);
  expect(body.isKept()).toBe(false);
});

test('a body that breaks off has no end for the next reader either', async () => {
  const { body, first, fail } = await begunBody();
  const stale = first.next();
  const second = body.read();
  expect(textOf(await second.next())).toBe('a');
  fail();
  await expect(stale).rejects.toThrow('the client left');
  await expect(second.next()).rejects.toThrow('the client left');
});

test('whoever lets go of it amid it leaves the rest to others, and it is not had again', async () => {
  const { source, give, isClosed } = handSource();
  const body = keptBody(source);
  const reader = body.read();
  const first = reader.next();
  give('a');
  await first;
  await reader.return(undefined);
  expect([isClosed(), body.isKept()]).toEqual([true, false]);
});

test('a reader that was replaced lets go of nothing', async () => {
  const { body, first, isClosed } = await begunBody();
  const second = body.read();
  expect(textOf(await second.next())).toBe('a');
  await first.return(undefined);
  expect([isClosed(), body.isKept()]).toEqual([false, true]);
});
