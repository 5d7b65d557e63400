import { hash } from 'node:crypto';

/** https://nodejs.org/api/util.html#custom-inspection-functions-on-objects */
const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom');

const placeholder = '(redacted)';

/**
 * A value that must stay readable and may not be shown: the private key of a certificate, what a plugin takes
 * from a Secret. However it is printed (JSON, a log, an inspection, text), a placeholder comes out.
 *
 * It is a class, though it is neither started nor stopped, since only a private field is out of every
 * printer's reach. A structured clone loses that field and fails closed; see `redacted-places.ts`.
 */
export class Redacted {
  /** Tells two of them apart when objects are compared field by field; not enumerable, so that no copy has it. */
  declare readonly mark: string;
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    Object.defineProperty(this, 'mark', { value: hash('sha256', value, 'base64url'), enumerable: false });
  }

  /** The value itself, for whoever uses it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return placeholder;
  }

  toJSON(): string {
    return placeholder;
  }

  [inspectCustom](): string {
    return placeholder;
  }
}
