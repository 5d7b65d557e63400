/** An answer that is not the one asked for, in Kong's shape (kong-facts 3.4). */
export class AdminError extends Error {
  readonly status: number;
  readonly body: ErrorBody;
  /** Seconds after which the same may be tried again, where that is of use. */
  readonly retryAfterSeconds: number | undefined;
  constructor(status: number, body: ErrorBody, retryAfterSeconds?: number) {
    super(body.message);
    this.status = status;
    this.body = body;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

interface ErrorBody {
  readonly message: string;
  readonly [field: string]: unknown;
}

/** What is wrong with fields: a text, or the same for the fields within. `@entity` is about the whole. */
export interface FieldErrors {
  readonly [field: string]: string | readonly (string | null)[] | FieldErrors;
}

/** Values that name an entity: `{username: 'bob'}`, `{name: 'key-auth', route: {id: '…'}}`. */
export interface EntityKey {
  readonly [field: string]: string | null | EntityKey;
}

/** `key="value"` pairs in braces, by name, as Kong prints a key. */
function printKey(key: EntityKey): string {
  const parts = Object.entries(key)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      const printed = value !== null && typeof value === 'object' ? printKey(value) : JSON.stringify(value);
      return `${name}=${printed}`;
    });
  return `{${parts.join(',')}}`;
}

const isList = (value: unknown): value is readonly (string | null)[] => Array.isArray(value);

/** Every error with its path, those of the whole first, as the message of a violation lists them. */
function flatten(errors: FieldErrors, path: string): string[] {
  return Object.keys(errors)
    .sort((a, b) => Number(b === '@entity') - Number(a === '@entity') || (a < b ? -1 : 1))
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

/** 400, code 1: an id that cannot be chosen, because Kubernetes gives it. */
export function chosenId(id: string, instead: string): AdminError {
  const message = `invalid primary key: '${printKey({ id })}': ids are given by Kubernetes, ${instead}`;
  return new AdminError(400, { code: 1, name: 'invalid primary key', message, fields: { id } });
}

/** 400, code 2. */
export function schemaViolation(fields: FieldErrors): AdminError {
  const all = flatten(fields, '');
  const start = all.length === 1 ? 'schema violation' : `${all.length} schema violations`;
  return new AdminError(400, { code: 2, name: 'schema violation', message: `${start} (${all.join('; ')})`, fields });
}

/** 400, code 4: a reference by id to what does not exist. */
export function foreignKeyViolation(field: string, id: string, entities: string): AdminError {
  const message = `the foreign key '${printKey({ id })}' does not reference an existing '${entities}' entity.`;
  return new AdminError(400, { code: 4, name: 'foreign key violation', message, fields: { [field]: { id } } });
}

/** 409, code 5. */
export function uniqueViolation(fields: EntityKey): AdminError {
  const message = `UNIQUE violation detected on '${printKey(fields)}'`;
  return new AdminError(409, { code: 5, name: 'unique constraint violation', message, fields });
}

/** 404 of a flat path that was to be changed, code 6. */
export function entityNotFound(key: EntityKey): AdminError {
  const message = `could not find the entity with ${'id' in key ? 'primary key ' : ''}'${printKey(key)}'`;
  return new AdminError(404, { code: 6, name: 'not found', message, fields: key });
}

/** 400, code 11. */
export function invalidOption(option: string, fault: string): AdminError {
  const message = `invalid option (${option}: ${fault})`;
  return new AdminError(400, { code: 11, name: 'invalid options', message, options: { [option]: fault } });
}

/** 405, code 12: what is written by `kubectl apply` alone. */
export function unsupportedWrite(verb: string, entities: string, instead: string): AdminError {
  const message = `cannot ${verb} '${entities}' entities: ${instead}`;
  return new AdminError(405, { code: 12, name: 'operation unsupported', message });
}

/** 403: writes are for those who switch them on, since whoever reaches the Admin API may then do them. */
export function writesAreOff(): AdminError {
  const remedy = 'adminApi.writes: true in the values of the chart, or --admin-writes, switches them on';
  return new AdminError(403, { message: `writes by the Admin API are switched off: ${remedy}` });
}

/** 400, code 13: a reference by name to what does not exist. */
export function foreignKeyUnresolved(field: string, key: Readonly<Record<string, string>>, entities: string) {
  const [name = ''] = Object.keys(key);
  const fault = `the foreign key cannot be resolved with '${printKey(key)}' for an existing '${entities}' entity`;
  const message = `foreign key unresolved (${field}.${name}: ${fault})`;
  const fields = { [field]: { [name]: fault } };
  return new AdminError(400, { code: 13, name: 'foreign keys unresolved', message, fields });
}

export const notFound = (): AdminError => new AdminError(404, { message: 'Not found' });
export const methodNotAllowed = (): AdminError => new AdminError(405, { message: 'Method not allowed' });
export const badRequest = (message: string): AdminError => new AdminError(400, { message });

/** 409 without Kong's like: what was to be written is no longer as it was, or stands in more places. */
export const conflict = (message: string): AdminError => new AdminError(409, { message });
