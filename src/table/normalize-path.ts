/** Why a path is refused instead of being given a meaning. */
export type PathFault = 'nul' | 'backslash' | 'fragment' | 'encoding' | 'control' | 'dot-segment' | 'slash';

/** What is made of the spellings that servers disagree on. Whatever is chosen, what is matched is what is forwarded. */
export interface PathRules {
  /** `%2F`: stays and separates nothing, is refused, or is a slash. */
  readonly encodedSlash: 'keep' | 'refuse' | 'decode';
  /** A backslash, `%5C`, `%00` and a raw `#`: refused, or forwarded encoded. */
  readonly oddCharacters: 'refuse' | 'encode';
  /** Whether `//` is `/`. */
  readonly mergesSlashes: boolean;
}

export const usualPathRules: PathRules = { encodedSlash: 'keep', oddCharacters: 'refuse', mergesSlashes: true };

export interface NormalPath {
  readonly path: string;
  /**
   * What a server may make of the path that decodes all of it, drops parameters (`;x`) or takes a backslash for
   * a slash; absent where that is the same. It is looked up, never forwarded.
   */
  readonly otherReading?: string;
}

/** Most requests need no work: nothing encoded, no dot segment, no double slash, no odd character. */
const plainPath = /^(?:\/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9._~!$&'()*+,=:@-]*)*\/?$/;

/** RFC 3986 section 2.3: encoding an unreserved character changes nothing, so it is undone. */
const unreserved = /^[A-Za-z0-9._~-]$/;

/**
 * The one spelling of a path that is matched, guarded and forwarded (RFC 3986 section 6.2.2, kong-facts
 * 2.5): unreserved characters decoded, other encodings in upper case, what no path may hold encoded, `.` and
 * `..` resolved, `//` merged. A control character, a broken encoding, overlong UTF-8 and a dot segment that ends
 * in a parameter (`..;`) or in an encoded slash are refused: servers disagree on what they mean.
 *
 * @param path begins with `/`, without the query; each character stands for a byte
 */
export function normalizePath(
  path: string,
  rules: PathRules = usualPathRules,
): NormalPath | { readonly fault: PathFault } {
  if (plainPath.test(path) && path !== '') return { path };
  const fault = findFault(path, rules);
  if (fault !== undefined) return { fault };
  const decoded = encodeOdd(path).replaceAll(/%[0-9A-Fa-f]{2}/g, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    if (character === '/' && rules.encodedSlash === 'decode') return '/';
    return unreserved.test(character) ? character : triplet.toUpperCase();
  });
  if (hiddenDots.test(decoded)) return { fault: 'dot-segment' };
  const normal = removeDotSegments(rules.mergesSlashes ? mergeSlashes(decoded) : decoded);
  const other = laxReading(normal);
  return other === normal ? { path: normal } : { path: normal, otherReading: other };
}

/** A dot segment with something beside it that is a separator to some servers alone. */
const hiddenDots = /(?:\/|%2F|%5C)\.{1,2}(?:;|%2F|%5C)|(?:%2F|%5C)\.{1,2}(?:\/|$)/;

const mergeSlashes = (path: string): string => path.replaceAll(/\/{2,}/g, '/');

/** Encodes what no path may hold as it is (RFC 3986 section 3.3). Each character stands for a byte. */
function encodeOdd(path: string): string {
  return path.replaceAll(
    /[^A-Za-z0-9._~!$&'()*+,;=:@/%-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

const decodeAll = (text: string): string =>
  text.replaceAll(/%[0-9A-Fa-f]{2}/g, (triplet) => String.fromCharCode(Number.parseInt(triplet.slice(1), 16)));

/** The most that a server could make of a path: decoded three times over, without parameters and what ends a text. */
function laxReading(path: string): string {
  const decoded = decodeAll(decodeAll(decodeAll(path))).replaceAll('\\', '/');
  // eslint-disable-next-line no-control-regex -- NUL ends a text in C
  const [kept = ''] = decoded.split(/[\u0000?#]/);
  const bare = kept.replaceAll(/;[^/]*/g, '').replaceAll('%', '%25');
  return removeDotSegments(mergeSlashes(encodeOdd(bare)));
}

function findFault(path: string, { encodedSlash, oddCharacters }: PathRules): PathFault | undefined {
  if (oddCharacters === 'refuse') {
    if (/%00/.test(path)) return 'nul';
    if (/\\|%5c/i.test(path)) return 'backslash';
    if (path.includes('#')) return 'fragment';
  }
  if (encodedSlash === 'refuse' && /%2f/i.test(path)) return 'slash';
  if (/%(?![0-9A-Fa-f]{2})/.test(path) || overlong.test(path)) return 'encoding';
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u0020\u007f]/.test(path) ? 'control' : undefined;
}

/** Bytes that UTF-8 never has, and longer encodings than a character needs (RFC 3629 section 3). */
const overlong = /%(?:c[01]|f[5-9a-f]|e0%[89]|f0%8)/i;

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
