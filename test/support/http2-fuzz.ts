/** Requests over HTTP/2 of which many have something wrong, and what RFC 9113 says becomes of each. */
import fc from 'fast-check';
import { fieldBlock, flags, frame } from './http2-frames.ts';

type FieldList = readonly (readonly [name: string, value: string])[];

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  /** Without pseudo-headers. */
  readonly fields: FieldList;
  readonly pseudo: FieldList;
  /** Absent for none. */
  readonly body: readonly string[] | undefined;
  /** Whether the last DATA ends the stream; else one of nothing does, or trailers. */
  readonly isEndedByData: boolean;
  readonly trailers: FieldList;
  /** Where the head is cut into frames. */
  readonly cut: number;
}

const latin1 = fc
  .array(fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 0x21, max: 0x7e }) }, fc.integer({ min: 0, max: 0xff })), {
    maxLength: 12,
  })
  .map((codes) => String.fromCharCode(...codes));
const token = fc.stringMatching(/^[a-z0-9!#$%&'*+.^_`|~-]{1,8}$/).map((name) => `z${name}`);
const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('x-a', 'x-b', 'accept', 'user-agent', 'cookie', 'x_under', 'x.dot') },
  { weight: 4, arbitrary: token },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'connection',
      'X-Upper',
      'transfer-encoding',
      'te',
      'upgrade',
      'keep-alive',
      ':late',
      'a b',
      '',
    ),
  },
);
const value = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('', 'a', 'a, b', 'trailers', '"q"', 'a=b') }, latin1);
const field = fc.tuple(name, value);

const path = fc.constantFrom('/', '/a', '/a/b?c=d', '/a%2Fb', '/a?', '/a;x=1', '/%20?%41&&', '/a?b=/../c');
const body = fc.option(fc.array(latin1, { maxLength: 4 }), { nil: undefined, freq: 2 });

/** How the pseudo-headers are spoilt, mostly not at all. */
const spoil = fc.constantFrom<(list: FieldList) => FieldList>(
  ...Array.from({ length: 12 }, () => (list: FieldList) => list),
  (list) => list.slice(1),
  (list) => [...list, [':path', '/other']],
  (list) => [...list, [':unknown', 'a']],
  (list) => [...list.slice(0, -1), ['x-early', 'a'], ...list.slice(-1)],
  (list) => list.toReversed(),
);

const lengthOf = (pieces: readonly string[] | undefined): number => (pieces ?? []).join('').length;

export const fuzzRequests: fc.Arbitrary<FuzzRequest> = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'),
    path,
    fields: fc.array(field, { maxLength: 5 }),
    spoil,
    body,
    length: fc.constantFrom('none', 'none', 'right', 'right', 'long'),
    isEndedByData: fc.boolean(),
    trailers: fc.oneof(
      fc.constant([]),
      fc.constant([]),
      fc.array(fc.tuple(fc.constantFrom('x-t', 'X-T', ':path'), fc.constant('v')), { maxLength: 2 }),
    ),
    cut: fc.nat({ max: 60 }),
  })
  .map(({ spoil: change, length, ...rest }) => {
    const stated = lengthOf(rest.body) + (length === 'long' ? 1 : 0);
    const fields: FieldList = length === 'none' ? rest.fields : [...rest.fields, ['content-length', String(stated)]];
    const pseudo = change([
      [':method', rest.method],
      [':scheme', 'http'],
      [':authority', 'a'],
      [':path', rest.path],
    ]);
    return { ...rest, fields, pseudo, trailers: rest.body === undefined ? [] : rest.trailers };
  });

/** The frames of a request, one after the other. @param mark a field that tells it apart */
export function framesOf(request: FuzzRequest, stream: number, mark: string): Buffer[] {
  const { pseudo, fields, body: pieces, trailers, isEndedByData } = request;
  const bytes = fieldBlock([...pseudo, ...fields, ['x-mark', mark]]);
  const cut = Math.min(request.cut, bytes.byteLength);
  const end = pieces === undefined ? flags.END_STREAM : 0;
  const head = [
    frame('HEADERS', { stream, flag: end }, bytes.subarray(0, cut)),
    frame('CONTINUATION', { stream, flag: flags.END_HEADERS }, bytes.subarray(cut)),
  ];
  // The two must follow on each other: they are one piece here.
  const all: Buffer[] = [Buffer.concat(head)];
  if (pieces === undefined) return all;
  const hasTrailers = trailers.length > 0;
  const last = isEndedByData && !hasTrailers ? pieces.length - 1 : -1;
  for (const [i, piece] of pieces.entries()) {
    all.push(frame('DATA', { stream, flag: i === last ? flags.END_STREAM : 0 }, Buffer.from(piece, 'latin1')));
  }
  if (hasTrailers) {
    all.push(frame('HEADERS', { stream, flag: flags.END_STREAM | flags.END_HEADERS }, fieldBlock(trailers)));
  } else if (last === -1) all.push(frame('DATA', { stream, flag: flags.END_STREAM }));
  return all;
}

const ofConnection = new Set(['connection', 'transfer-encoding', 'upgrade', 'keep-alive', 'proxy-connection']);
const isToken = (text: string): boolean => /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(text);
// eslint-disable-next-line no-control-regex -- it is about them
const isValue = (text: string): boolean => !/[\x00-\x08\x0a-\x1f\x7f]/.test(text) && !/^[\t ]|[\t ]$/.test(text);

/** Whether a field may stand in a message at all; others are left out (docs/http.md). */
const isField = ([fieldName, text]: readonly [string, string]): boolean => isToken(fieldName) && isValue(text);

function isMalformedField([fieldName, text]: readonly [string, string]): boolean {
  if (/[A-Z]/.test(fieldName) || fieldName.startsWith(':') || ofConnection.has(fieldName)) return true;
  return fieldName === 'te' && text.toLowerCase() !== 'trailers';
}

/** Whether it is malformed behind a body whose length was stated: an upstream has had the whole of it by then. */
export const isLate = (request: FuzzRequest): boolean =>
  request.trailers.length > 0 &&
  request.fields.some(([fieldName]) => fieldName === 'content-length') &&
  !isMalformed({ ...request, trailers: [] });

/** RFC 9113 sections 8.1.1, 8.2 and 8.3. */
export function isMalformed({ pseudo, fields, body: pieces, trailers }: FuzzRequest): boolean {
  const names = pseudo.map(([fieldName]) => fieldName);
  if (names.some((one) => !one.startsWith(':')) || new Set(names).size < names.length) return true;
  if (names.includes(':unknown') || !names.includes(':method')) return true;
  const stated = fields.find(([fieldName]) => fieldName === 'content-length')?.[1];
  if (stated !== undefined && Number(stated) !== lengthOf(pieces)) return true;
  return [...fields, ...trailers].some(isMalformedField);
}

/** The fields that an upstream gets of the client's, by name, in their order: cookies as one. */
export function expectedFields({ fields }: FuzzRequest): Map<string, string[]> {
  const expected = new Map<string, string[]>();
  for (const [fieldName, text] of fields.filter(isField)) {
    if (fieldName === 'content-length') continue;
    const before = expected.get(fieldName) ?? [];
    if (fieldName === 'cookie' && before.length > 0) expected.set(fieldName, [`${before[0]}; ${text}`]);
    else expected.set(fieldName, [...before, text]);
  }
  if (expected.has('te')) expected.set('te', ['trailers']);
  return expected;
}
