import type { FastifyInstance, FastifyRequest } from 'fastify';
import { nestForm } from './arguments.ts';
import { badRequest } from './errors.ts';
import type { StatedBody } from './request-context.ts';

/** Bytes of a body; more is 413 (kong-facts 3.1). */
export const bodyLimitBytes = 10 * 1024 * 1024;

function parseJson(text: string): StatedBody {
  let args: unknown;
  try {
    args = JSON.parse(text);
  } catch {
    throw badRequest('Cannot parse JSON body');
  }
  if (typeof args !== 'object' || args === null || Array.isArray(args)) throw badRequest('Cannot parse JSON body');
  return { args: args as Record<string, unknown>, isForm: false };
}

function parseForm(text: string): StatedBody {
  return { args: nestForm([...new URLSearchParams(text)]), isForm: true };
}

async function parseMultipart(body: Buffer, contentType: string): Promise<StatedBody> {
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => undefined);
  if (form === undefined) throw badRequest('Cannot parse multipart body');
  const pairs = [...form].flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []));
  return { args: nestForm(pairs), isForm: true };
}

/** The three kinds of body that Kong reads; any other is 415. */
export function addBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, async (_: unknown, text: string) =>
    parseJson(text),
  );
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_: unknown, text: string) => parseForm(text),
  );
  app.addContentTypeParser(
    'multipart/form-data',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => parseMultipart(body, request.headers['content-type'] ?? ''),
  );
}
