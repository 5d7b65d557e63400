/**
 * What stands in the tables of this folder, one request (or several on one connection) a row:
 *
 *   [name, bytes, answers, seen]
 *
 *   bytes     as they go out; a list goes out in as many writes, each once the one before was taken
 *   answers   the statuses in their order, then `close` if the gateway ends the connection. Otherwise another
 *             request is sent on it, which must get its own answer: nobody lost count of requests
 *   seen      what the upstream saw: texts that stand in it, those that begin with `!` in none of it. Without
 *             it the upstream saw no byte
 */
export type RawCase = readonly [
  name: string,
  bytes: string | readonly string[],
  answers: string,
  seen?: readonly string[],
];

/** A request's head. */
export const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;

/** A GET of a path from host `a`. */
export const get = (path: string, ...fields: readonly string[]): string =>
  head(`GET ${path} HTTP/1.1`, 'Host: a', ...fields);

/** A POST to `/` of host `a`. */
export const post = (body: string, ...fields: readonly string[]): string =>
  `${head('POST / HTTP/1.1', 'Host: a', ...fields)}${body}`;
