import { InvalidArgumentError, Option } from 'commander';

/**
 * Every flag can also be set in the environment: `--proxy-listen` as `LATCHKEY_PROXY_LISTEN`, or as Kong's
 * controller has it, `CONTROLLER_PROXY_LISTEN` (kong-facts 4.11). The flag wins, then the former.
 */
export function flag(flags: string, description: string): Option {
  const name = (/--([a-z-]+)/.exec(flags)?.[1] ?? '').replaceAll('-', '_').toUpperCase();
  const isKongs = process.env[`LATCHKEY_${name}`] === undefined && process.env[`CONTROLLER_${name}`] !== undefined;
  return new Option(flags, description).env(`${isKongs ? 'CONTROLLER' : 'LATCHKEY'}_${name}`);
}

/** A whole number within bounds, both included. */
export function wholeNumber(bounds: { readonly min: number; readonly max: number }) {
  return (text: string): number => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= bounds.min && number <= bounds.max) return number;
    throw new InvalidArgumentError(`expected a whole number from ${bounds.min} to ${bounds.max}`);
  };
}

/** `true` or `false`; the flag alone means true. */
export function trueOrFalse(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError('expected true or false');
}

/** Items separated by commas; an empty text is none. */
export const listOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** `namespace/name` of an object. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** @throws InvalidArgumentError */
export function objectName(text: string): ObjectName {
  const [namespace = '', name = '', ...more] = text.split('/');
  if (namespace !== '' && name !== '' && more.length === 0) return { namespace, name };
  throw new InvalidArgumentError('expected namespace/name');
}
