import type { FastifyInstance, FastifyRequest } from 'fastify';
import { assertBounds, maxArguments, nestForm, tooManyArguments, type Arguments } from './arguments.ts';
import { badRequest } from './errors.ts';
import { multipartParts } from './multipart.ts';
import type { StatedBody } from './request-context.ts';

/** Bytes of a body; more is 413 (kong-facts 3.1). */
export const bodyLimitBytes = 10 * 1024 * 1024;

/** Text that is not UTF-8 is refused: as replacement characters, two different keys would be the same. */
const utf8 = (bytes: Buffer): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);

function bounded(args: Arguments, isForm: StatedBody['isForm']): StatedBody {
  assertBounds(args);
  return { args, isForm };
}

function parseJson(bytes: Buffer): StatedBody {
  let args: unknown;
  try {
    args = JSON.parse(utf8(bytes));
  } catch {
    // The reason would repeat what stands there, which may be a key.
    throw badRequest('Cannot parse JSON body');
  }
  if (typeof args !== 'object' || args === null || Array.isArray(args)) throw badRequest('Cannot parse JSON body');
  return bounded(args as Arguments, false);
}

/** `a%20b+c` → `a b c`; a `%` that escapes nothing stands for itself, as in Kong. */
function unescapeForm(text: string): string {
  const bytes = text
    .replaceAll('+', ' ')
    .replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return utf8(Buffer.from(bytes, 'latin1'));
}

/** @throws AdminError 400 if a text is not UTF-8 */
function nestDecoded(pairs: readonly (readonly string[])[], decode: (text: string) => string): StatedBody {
  if (pairs.length > maxArguments) throw tooManyArguments();
  let decoded: [string, string][];
  try {
    decoded = pairs.map(([name = '', value = '']) => [decode(name), decode(value)]);
  } catch {
    throw badRequest('Cannot parse form body');
  }
  return bounded(nestForm(decoded), true);
}

function parseForm(bytes: Buffer): StatedBody {
  const items = bytes.toString('latin1').split('&', maxArguments + 1);
  const pairs = items.map((item) => {
    const end = item.includes('=') ? item.indexOf('=') : item.length;
    return [item.slice(0, end), item.slice(end + 1)];
  });
  return nestDecoded(pairs, unescapeForm);
}

function parseMultipart(bytes: Buffer, contentType: string): StatedBody {
  const parts = multipartParts(bytes, contentType, maxArguments);
  if (parts === undefined) throw badRequest('Cannot parse multipart body');
  return nestDecoded(parts, (text) => utf8(Buffer.from(text, 'latin1')));
}

/** An empty body that came in chunks, as some clients send it, is none; any other needs a known type. */
function refuseUnknown(request: FastifyRequest, bytes: Buffer): undefined {
  if (request.headers['content-type'] === undefined && bytes.length === 0) return undefined;
  throw Object.assign(new Error('unsupported media type'), { statusCode: 415 });
}

/** The three kinds of body that Kong reads; any other is 415 (kong-facts 3.1). */
export function addBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const asBytes = { parseAs: 'buffer' } as const;
  app.addContentTypeParser('application/json', asBytes, async (_: unknown, bytes: Buffer) => parseJson(bytes));
  app.addContentTypeParser('application/x-www-form-urlencoded', asBytes, async (_: unknown, bytes: Buffer) =>
    parseForm(bytes),
  );
  app.addContentTypeParser('multipart/form-data', asBytes, async (request: FastifyRequest, bytes: Buffer) =>
    parseMultipart(bytes, request.headers['content-type'] ?? ''),
  );
  app.addContentTypeParser('*', asBytes, async (request: FastifyRequest, bytes: Buffer) =>
    refuseUnknown(request, bytes),
  );
}
