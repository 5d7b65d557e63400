import { queryValues, withoutQueryName } from './query.ts';
import type { Exchange } from './plugin.ts';

/** Larger bodies are not looked into, as in Kong (kong-facts 1.3). */
const limitBytes = 8192;

/** A body whose fields can be read, and taken out. */
export interface FieldBody {
  /** What stands under a name. */
  get(name: string): FieldRead;
  /** Takes a name out and puts the rest in place of the body. */
  remove(name: string): Promise<void>;
}

type FieldRead =
  | { readonly type: 'absent' }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'list' }
  /** A number, true or null: it stands there, and is no key. */
  | { readonly type: 'other' };

const absent: FieldRead = { type: 'absent' };

/** Reads the body as its Content-Type says. Whatever cannot be read counts as empty (kong-facts 1.3). */
export async function readFieldBody(exchange: Exchange): Promise<FieldBody | undefined> {
  const contentType = exchange.headerValues('content-type')[0] ?? '';
  const mime = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const read = readers[mime];
  if (read === undefined) return undefined;
  const body = await exchange.readBody(limitBytes);
  return body === undefined || body.byteLength === 0 ? undefined : read(body, contentType, exchange);
}

type Reader = (
  body: Buffer,
  contentType: string,
  exchange: Exchange,
) => FieldBody | undefined | Promise<FieldBody | undefined>;

const readers: Readonly<Record<string, Reader | undefined>> = Object.assign(Object.create(null) as object, {
  'application/x-www-form-urlencoded': formBody,
  'application/json': jsonBody,
  'multipart/form-data': multipartBody,
} satisfies Record<string, Reader>);

function formBody(body: Buffer, _: string, exchange: Exchange): FieldBody {
  // Latin-1 keeps every byte: what is not taken out goes on exactly as it came.
  let form = body.toString('latin1');
  return {
    get(name) {
      const values = queryValues(form, name);
      if (values.length === 0) return absent;
      if (values.length > 1) return { type: 'list' };
      return values[0] === true ? { type: 'other' } : { type: 'text', text: values[0] ?? '' };
    },
    async remove(name) {
      form = withoutQueryName(form, name);
      exchange.setBody(Buffer.from(form, 'latin1'));
    },
  };
}

function jsonBody(body: Buffer, _: string, exchange: Exchange): FieldBody | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(parsed));
  return {
    get(name) {
      if (!fields.has(name)) return absent;
      const value = fields.get(name);
      if (typeof value === 'string') return { type: 'text', text: value };
      return typeof value === 'object' && value !== null ? { type: 'list' } : { type: 'other' };
    },
    async remove(name) {
      if (!fields.delete(name)) return;
      const rest = Array.isArray(parsed) ? [...fields.values()] : Object.fromEntries(fields);
      exchange.setBody(Buffer.from(JSON.stringify(rest), 'utf8'));
    },
  };
}

async function multipartBody(body: Buffer, contentType: string, exchange: Exchange): Promise<FieldBody | undefined> {
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
  } catch {
    return undefined;
  }
  return {
    get(name) {
      const values = form.getAll(name);
      if (values.length === 0) return absent;
      if (values.length > 1) return { type: 'list' };
      return typeof values[0] === 'string' ? { type: 'text', text: values[0] } : { type: 'other' };
    },
    async remove(name) {
      if (!form.has(name)) return;
      form.delete(name);
      // A new boundary: the parts that stay keep their file names, which Kong loses.
      const rest = new Response(form);
      const bytes = Buffer.from(await rest.arrayBuffer());
      exchange.setBody(bytes, rest.headers.get('content-type') ?? contentType);
    },
  };
}
