import Type from 'typebox';
import { schemaViolation } from './errors.ts';

/** Fields that every entity has and nobody may choose. A client that sends back what it read states them. */
export const givenFields = {
  id: Type.Optional(Type.String()),
  created_at: Type.Optional(Type.Number()),
  updated_at: Type.Optional(Type.Number()),
};

const given = 'is given by Kubernetes and cannot be chosen';

/** Why the given fields cannot be other than they are. `updated_at` becomes now, whatever is stated, as in Kong. */
export const whyGiven = { id: given, created_at: given };

/** Lists among these fields are sets, whose order says nothing. */
function comparable(value: unknown): string {
  if (!Array.isArray(value)) return JSON.stringify(value);
  return JSON.stringify(value.map((item) => JSON.stringify(item)).sort((a, b) => (a < b ? -1 : 1)));
}

const isSame = (a: unknown, b: unknown): boolean => comparable(a) === comparable(b);

/**
 * Lets fields be stated only as they are. Kong would change them, so ignoring them would be a lie.
 *
 * @param current the entity as it is, of a new one the fields that are known beforehand
 * @param why for each such field, why it cannot be changed
 * @throws AdminError 400 naming every field that differs
 */
export function assertUnchanged(
  stated: Readonly<Record<string, unknown>>,
  current: Readonly<Record<string, unknown>>,
  why: Readonly<Record<string, string>>,
): void {
  const changed = Object.entries(why).filter(([field]) => {
    const value = Object.hasOwn(stated, field) ? stated[field] : undefined;
    return value !== undefined && value !== null && !isSame(value, current[field]);
  });
  if (changed.length > 0) throw schemaViolation(Object.fromEntries(changed));
}
