/** An answer that is not the one asked for, in Kong's shape (kong-facts 3.4). */
export class AdminError extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(String(body['message'] ?? status));
    this.status = status;
    this.body = body;
  }
}

/** What is wrong with fields: a text, or the same for the fields within. `@entity` is about the whole. */
export interface FieldErrors {
  readonly [field: string]: string | readonly (string | null)[] | FieldErrors;
}

/** `key="value"` pairs in braces, by name, as Kong prints a key. */
function printKey(fields: Readonly<Record<string, unknown>>): string {
  const parts = Object.keys(fields)
    .sort()
    .map((name) => {
      const value = fields[name];
      if (value === null) return `${name}=null`;
      return typeof value === 'object'
        ? `${name}=${printKey(value as Record<string, unknown>)}`
        : `${name}="${String(value)}"`;
    });
  return `{${parts.join(',')}}`;
}

/** Every error with its path, those of the whole first, as the message of a violation lists them. */
function flatten(errors: FieldErrors, path: string): string[] {
  return Object.keys(errors)
    .sort()
    .flatMap((field) => {
      const error = errors[field];
      const here = path === '' ? field : `${path}.${field}`;
      if (typeof error === 'string') return [`${here}: ${error}`];
      if (isList(error)) {
        if (field === '@entity') return error.filter((item) => item !== null);
        return error.flatMap((item, i) => (item === null ? [] : [`${here}.${i + 1}: ${item}`]));
      }
      return error === undefined ? [] : flatten(error, here);
    });
}

const isList = (value: unknown): value is readonly (string | null)[] => Array.isArray(value);

/** 400, code 2. */
export function schemaViolation(fields: FieldErrors): AdminError {
  const all = flatten(fields, '');
  const start = all.length === 1 ? 'schema violation' : `${all.length} schema violations`;
  return new AdminError(400, { code: 2, name: 'schema violation', message: `${start} (${all.join('; ')})`, fields });
}

/** 409, code 5. */
export function uniqueViolation(fields: Readonly<Record<string, unknown>>): AdminError {
  const message = `UNIQUE violation detected on '${printKey(fields)}'`;
  return new AdminError(409, { code: 5, name: 'unique constraint violation', message, fields });
}

/** 404 of a flat path that was to be changed, code 6. */
export function entityNotFound(key: Readonly<Record<string, string>>, isPrimary: boolean): AdminError {
  const message = `could not find the entity with ${isPrimary ? 'primary key ' : ''}'${printKey(key)}'`;
  return new AdminError(404, { code: 6, name: 'not found', message, fields: key });
}

/** 400, code 11. */
export function invalidOption(option: string, fault: string): AdminError {
  const options = { [option]: fault };
  return new AdminError(400, {
    code: 11,
    name: 'invalid options',
    message: `invalid option (${option}: ${fault})`,
    options,
  });
}

export const notFound = (): AdminError => new AdminError(404, { message: 'Not found' });
export const methodNotAllowed = (): AdminError => new AdminError(405, { message: 'Method not allowed' });
export const badRequest = (message: string): AdminError => new AdminError(400, { message });

/** Routes, services and what else is written by `kubectl apply` alone; Kong's code for such a write. */
export function unsupportedWrite(verb: string, entities: string, instead: string): AdminError {
  const message = `cannot ${verb} '${entities}' entities here: ${instead}`;
  return new AdminError(405, { code: 12, name: 'operation unsupported', message });
}
