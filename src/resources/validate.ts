import { Compile, type Validator } from 'typebox/compile';
import type { TLocalizedValidationError } from 'typebox/error';
import type { Kind, KubernetesObject } from './kind.ts';
import type { TSchema } from 'typebox';
import type { Problem } from './verdict.ts';

export interface FieldFault {
  readonly field: string;
  readonly message: string;
}

const validators = new WeakMap<TSchema, Validator>();

/** `/spec/rules/0/host` → `spec.rules[0].host`, the way kubectl names fields. */
function fieldOf(instancePath: string): string {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : /^[\w-]+$/.test(part) ? `.${part}` : `["${part}"]`))
    .join('')
    .replace(/^\./, '');
}

const join = (field: string, name: string): string => (field === '' ? name : `${field}.${name}`);

/** What a value that fits no member of a union should have been. */
function unionFaults(
  error: TLocalizedValidationError,
  all: readonly TLocalizedValidationError[],
  field: string,
): FieldFault[] {
  const members = all.filter((other) => other !== error && other.schemaPath.startsWith(`${error.schemaPath}/anyOf/`));
  const allowed = members.flatMap((other) => (other.keyword === 'const' ? [String(other.params.allowedValue)] : []));
  if (allowed.length > 0) return [{ field, message: `expected one of: ${allowed.join(', ')}` }];
  // What is wrong further inside is said there.
  const isDeeper = members.some((other) => other.instancePath.length > error.instancePath.length);
  return isDeeper ? [] : [{ field, message: 'has the wrong type' }];
}

/** One error of the validator as faults of fields; a union's members are summed up in one. */
function faultsOf(error: TLocalizedValidationError, all: readonly TLocalizedValidationError[]): FieldFault[] {
  const field = fieldOf(error.instancePath);
  switch (error.keyword) {
    case 'required':
      return error.params.requiredProperties.map((name) => ({
        field: join(field, name),
        message: 'required field missing',
      }));
    case 'additionalProperties':
      return error.params.additionalProperties.map((name) => ({ field: join(field, name), message: 'unknown field' }));
    case 'boolean':
      return []; // said by additionalProperties
    case 'const':
      return [];
    case 'anyOf':
      return unionFaults(error, all, field);
    case 'type': {
      if (/\/anyOf\/\d+$/.test(error.schemaPath)) return [];
      const types = Array.isArray(error.params.type) ? error.params.type.join(' or ') : error.params.type;
      return [{ field, message: `expected ${/^[aeiou]/.test(types) ? 'an' : 'a'} ${types}` }];
    }
    case 'minLength':
      return [{ field, message: `length must be at least ${error.params.limit}` }];
    default:
      return [{ field, message: error.message }];
  }
}

/** What good values share: there may be millions of them. */
const noFaults: readonly never[] = [];

/**
 * Checks a value against a schema: every field that is wrong, each with its path, as
 * `config.key_names[0]`. An empty list means that the value is of the schema's type.
 */
export function findFaults(schema: TSchema, value: unknown): readonly FieldFault[] {
  let validator = validators.get(schema);
  if (validator === undefined) validators.set(schema, (validator = Compile(schema)));
  if (validator.Check(value)) return noFaults;
  const errors = validator.Errors(value);
  const faults = errors.flatMap((error) => faultsOf(error, errors));
  if (faults.length > 0) return faults;
  // A union none of whose members fits in any way we know how to tell: say at least where.
  return [{ field: fieldOf(errors[0]?.instancePath ?? ''), message: errors[0]?.message ?? 'is not valid' }];
}

/** What is wrong with an object by the schema and the rules of its kind. Never throws. */
export function validateObject(kind: Kind, object: KubernetesObject): readonly Problem[] {
  const faults = findFaults(kind.schema, object);
  const broken = faults.length > 0 ? [] : kind.rules.filter((rule) => !rule.holds(object));
  if (faults.length === 0 && broken.length === 0) return noFaults;
  return [...faults, ...broken.map(({ field, message }) => ({ field, message }))].map(({ field, message }) => ({
    reason: 'InvalidObject',
    field,
    message: `${field === '' ? 'the object' : field}: ${message}`,
    effect: 'object not in force',
  }));
}
