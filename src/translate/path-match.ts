import { RE2JS } from 're2js';
import { normalizePath } from '#table/normalize-path.ts';
import type { PathMatch } from '#table/route-entry.ts';

/** How an Ingress marks a path as a regular expression unless it says otherwise (kong-facts 4.8). */
export const usualRegexPrefix = '/~';

/** How it can be told that a path is a regular expression. */
export interface PathReading {
  /** What such a path begins with. */
  readonly regexPrefix: string;
  /** Whether one with characters that are rare in paths is one too (kong-facts 4.8). */
  readonly hasLegacyRegexes: boolean;
}

const usualReading: PathReading = { regexPrefix: usualRegexPrefix, hasLegacyRegexes: false };
const plainPath = /^[a-zA-Z0-9.\-_~/%]*$/;

/** A regular expression that ends where the path type would have a path end. */
function legacyExpression(path: string, pathType: string): string {
  if (pathType === 'Exact') return `${path}$`;
  return pathType === 'Prefix' ? `${path.replace(/(?<=.)\/$/, '')}(?:/|$)` : path;
}

/**
 * How a path of an Ingress is compared
 * (https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types, kong-facts 4.8). Its
 * characters mean themselves, and it is brought to the same spelling as the paths of requests.
 */
export function pathMatchOf(
  text: string | undefined,
  pathType: string,
  { regexPrefix, hasLegacyRegexes }: PathReading = usualReading,
): PathMatch | { readonly fault: string } {
  const path = text === undefined || text === '' ? '/' : text;
  if (!path.startsWith('/')) return { fault: 'must begin with a slash' };
  if (path.startsWith(regexPrefix)) return regexMatch(path.slice(regexPrefix.length));
  if (hasLegacyRegexes && !plainPath.test(path)) return regexMatch(legacyExpression(path, pathType));
  // What clients send are the bytes of UTF-8.
  const bytes = path.toWellFormed().replaceAll(/[^\0-\u007f]+/gu, encodeURIComponent);
  const normal = normalizePath(bytes);
  if ('fault' in normal) return { fault: `has a character or an encoding (${normal.fault}) that no request may have` };
  if (pathType === 'Exact') return { type: 'exact', value: normal.path };
  if (pathType === 'Prefix') return { type: 'prefix', value: normal.path.replace(/(?<=.)\/$/, '') };
  return { type: 'string-prefix', value: normal.path };
}

function regexMatch(expression: string): PathMatch | { readonly fault: string } {
  try {
    RE2JS.compile(expression);
    return { type: 'regex', value: expression };
  } catch (error) {
    return { fault: `is not a regular expression that Latchkey can run in linear time: ${(error as Error).message}` };
  }
}
