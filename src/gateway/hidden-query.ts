import type { SecretNames } from './secret-names.ts';

/** What stands in the place of a secret. */
const mark = '***';

/** The name of an argument as a plugin reads it, in lower case; undefined where it cannot be read. */
function nameOf(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' ')).toLowerCase();
  } catch {
    return undefined;
  }
}

/** A query for people to read: values under secret names are hidden, and those whose names cannot be read. */
export function hiddenQuery(query: string, secrets: Pick<SecretNames, 'has'>): string {
  return query
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=');
      if (at === -1) return pair;
      const name = nameOf(pair.slice(0, at));
      return name === undefined || secrets.has(name) ? `${pair.slice(0, at)}=${mark}` : pair;
    })
    .join('&');
}
