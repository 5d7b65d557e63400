/** Why a path is refused instead of being given a meaning. */
export type PathFault = 'nul' | 'backslash' | 'fragment' | 'encoding' | 'control' | 'dot-segment';

/** Most requests need no work: nothing encoded, no dot segment, no double slash, no odd character. */
const plainPath = /^(?:\/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*)*\/?$/;

/** RFC 3986 section 2.3: encoding an unreserved character changes nothing, so it is undone. */
const unreserved = /^[A-Za-z0-9._~-]$/;

/**
 * The one spelling of a path that is matched, guarded and forwarded (RFC 3986 section 6.2.2, kong-facts
 * 2.5): unreserved characters decoded, other encodings in upper case, `.` and `..` resolved, `//` merged.
 * `%2F` stays as it is and separates nothing. A backslash (`%5C` too), NUL, a raw `#`, a control
 * character, a broken encoding and a dot segment with a parameter (`..;`, which some servers resolve) are
 * refused: servers disagree on what they mean.
 *
 * @param path begins with `/`, without the query
 */
export function normalizePath(path: string): { readonly path: string } | { readonly fault: PathFault } {
  if (plainPath.test(path) && path !== '') return { path };
  const fault = findFault(path);
  if (fault !== undefined) return { fault };
  const decoded = path.replaceAll(/%[0-9A-Fa-f]{2}/g, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return unreserved.test(character) ? character : triplet.toUpperCase();
  });
  if (/\/\.{1,2};/.test(decoded)) return { fault: 'dot-segment' };
  return { path: removeDotSegments(decoded.replaceAll(/\/{2,}/g, '/')) };
}

function findFault(path: string): PathFault | undefined {
  if (/%00/.test(path)) return 'nul';
  if (/\\|%5c/i.test(path)) return 'backslash';
  if (path.includes('#')) return 'fragment';
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return 'encoding';
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u0020\u007f]/.test(path) ? 'control' : undefined;
}

/** RFC 3986 section 5.2.4. */
function removeDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  segments.forEach((segment, index) => {
    const isLast = index === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment === '.' || segment === '..') {
      if (isLast) kept.push('');
    } else {
      kept.push(segment);
    }
  });
  return `/${kept.join('/')}`;
}
