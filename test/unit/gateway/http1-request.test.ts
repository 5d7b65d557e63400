import fc from 'fast-check';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { knownHeaders } from '#gateway/http1-request.ts';

const known = ['te', 'host', 'accept', 'cookie', 'expect', 'upgrade', 'connection', 'content-type'];
const names = [...known, 'content-length', 'transfer-encoding', 'user-agent', 'apikey', 'x-request-id', 'date', 'etag'];

/** A name in any mixture of cases. */
const spelled = fc.tuple(fc.constantFrom(...names), fc.infiniteStream(fc.boolean())).map(([name, cases]) =>
  name
    .split('')
    .map((char) => (cases.next().value === true ? char.toUpperCase() : char))
    .join(''),
);

function nodesHeaders(raw: string[]): Record<string, unknown> {
  const message = new IncomingMessage(new Socket());
  // What its parser calls; there is no other way to have it put them together.
  (message as unknown as { _addHeaderLines(headers: string[], length: number): void })._addHeaderLines(raw, raw.length);
  return Object.fromEntries(
    Object.entries(message.headers).filter(
      ([name]) => known.includes(name) || ['content-length', 'transfer-encoding'].includes(name),
    ),
  );
}

test('the headers that are read by name are what Node makes of them, repeated and in any case', () => {
  const header = fc.tuple(spelled, fc.constantFrom('a', 'b, c', ''));
  fc.assert(
    fc.property(fc.array(header, { maxLength: 12 }), (pairs) => {
      const raw = pairs.flat();
      expect(knownHeaders(raw)).toEqual(nodesHeaders(raw));
    }),
  );
});
