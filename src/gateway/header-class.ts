/**
 * What becomes of a request header on its way upstream. Names are looked up as they were spelled, so that
 * the common ones cost one look-up and no new string.
 */
export type HeaderClass =
  /** Goes on as it came. */
  | 'forward'
  /** Ends here: hop-by-hop (RFC 9110 section 7.6.1), or a name that only the gateway may write. */
  | 'drop'
  /** The gateway appends to what came. */
  | 'x-forwarded-for'
  /** Stays only if a trusted proxy sent it. */
  | 'trusted'
  | 'via'
  | 'te'
  /** Describes the body, which a plugin may have replaced. */
  | 'content-length'
  | 'content-type';

export interface ClassifiedHeader {
  readonly lower: string;
  readonly class: HeaderClass;
}

const special: Readonly<Record<string, HeaderClass>> = {
  host: 'drop',
  connection: 'drop',
  'keep-alive': 'drop',
  'proxy-connection': 'drop',
  proxy: 'drop',
  'transfer-encoding': 'drop',
  upgrade: 'drop',
  expect: 'drop',
  trailer: 'drop',
  'http2-settings': 'drop',
  'x-real-ip': 'drop',
  'x-forwarded-proto': 'trusted',
  'x-forwarded-host': 'trusted',
  'x-forwarded-port': 'trusted',
  'x-forwarded-path': 'trusted',
  'x-forwarded-prefix': 'trusted',
  forwarded: 'trusted',
  'x-kong-request-id': 'drop',
  'x-forwarded-for': 'x-forwarded-for',
  via: 'via',
  te: 'te',
  'content-length': 'content-length',
  'content-type': 'content-type',
};

/**
 * Headers that tell an upstream who the caller is. A client's own never reach one, on any route and in any
 * spelling: `_` and `.` are read as `-` by many servers (CGI, WSGI, PHP). Kong leaves them on routes
 * without authentication.
 */
const identityHeader =
  /^x[-_.](?:(?:consumer|credential)(?:[-_.].*)?|anonymous[-_.]consumer|authenticated[-_.]groups)$/;

/** Other names that only the gateway writes, in spellings that an upstream might take for them. */
const reservedSpelling =
  /^x[_.-](?:real[_.-]ip|forwarded[_.-](?:for|proto|host|port|path|prefix)|kong[_.-]request[_.-]id)$/;

function classify(lower: string): HeaderClass {
  const found = Object.hasOwn(special, lower) ? special[lower] : undefined;
  if (found !== undefined) return found;
  return identityHeader.test(lower) || reservedSpelling.test(lower) ? 'drop' : 'forward';
}

/**
 * Tells of most names at once that they are none of a set, by their length and first letter: a look-up would have to
 * hash a name that the parser has just made.
 */
export function screenFor(names: Iterable<string>): (name: string) => boolean {
  const shapes = new Uint8Array(32 * 32);
  const shapeOf = (name: string): number => ((name.length & 31) << 5) | (name.charCodeAt(0) & 31);
  for (const name of names) shapes[shapeOf(name)] = 1;
  return (name) => shapes[shapeOf(name)] === 1;
}

const isSpecialShape = screenFor(Object.keys(special));
const letterX = 'x'.charCodeAt(0) & 31;

/** Whether a header certainly goes on as it came. Of the names with `X` that is known of none. */
export const isOrdinaryHeader = (name: string): boolean =>
  (name.charCodeAt(0) & 31) !== letterX && !isSpecialShape(name);

/** Whether a value of TE asks for trailers (RFC 9110 section 10.1.4). */
export const asksForTrailers = (te: string): boolean => /(?:^|,)\s*trailers\s*(?:[,;]|$)/i.test(te);

const known = new Map<string, ClassifiedHeader>();
/** Clients choose names; a bound keeps them from filling memory. */
const knownLimit = 2_000;

/** Every request has one: to compare the name costs less than to hash what the parser has just made. */
const host: ClassifiedHeader = { lower: 'host', class: 'drop' };

/** See `HeaderClass`. */
export function classifyHeader(name: string): ClassifiedHeader {
  if (name === 'Host') return host;
  const found = known.get(name);
  if (found !== undefined) return found;
  const lower = name.toLowerCase();
  const classified = { lower, class: classify(lower) };
  if (known.size < knownLimit) known.set(name, classified);
  return classified;
}
