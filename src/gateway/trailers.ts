/**
 * Fields behind a body. A recipient may merge them into the head (RFC 9110 section 6.5.1), so that none goes on
 * which would mean something there: framing, routing, conditions, who somebody is, what a body is.
 */
import { isFieldValue } from './field-value.ts';
import { classifyHeader } from './header-class.ts';

/** Field names with `-` for `_` and `.`, as many servers read them (CGI, WSGI, PHP). */
const forbidden = new Set([
  // framing and the connection
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // routing and what controls a request
  'cache-control',
  'expect',
  'forwarded',
  'host',
  'max-forwards',
  'pragma',
  'range',
  'via',
  'x-http-method-override',
  // conditions
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  // authentication and state
  'authorization',
  'cookie',
  'proxy-authenticate',
  'proxy-authorization',
  'set-cookie',
  'www-authenticate',
  // what controls an answer
  'age',
  'date',
  'expires',
  'location',
  'retry-after',
  'vary',
  'warning',
  // what a body is
  'content-encoding',
  'content-range',
  'content-type',
]);

const ofGateway = /^(?:access-control|x-kong|x-forwarded|x-real-ip)(?:-|$)/;

/** Whether a field may stand behind a body. @param name as it was spelled */
function isAllowed(name: string): boolean {
  const { lower, class: headerClass } = classifyHeader(name);
  const read = lower.replaceAll(/[_.]/g, '-');
  return headerClass === 'forward' && !forbidden.has(read) && !ofGateway.test(read);
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Those of a flat list of trailers that go on, and are fields wherever they are written.
 *
 * @param removed lower-case names that do not
 */
export function allowedTrailers(flat: readonly string[], removed?: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] ?? '';
    const value = flat[i + 1] ?? '';
    const goesOn =
      token.test(name) && isFieldValue(value) && isAllowed(name) && removed?.has(name.toLowerCase()) !== true;
    if (goesOn) kept.push(name, value);
  }
  return kept;
}

/** A Trailer field without those that do not go on; undefined where nothing is left (RFC 9110 section 6.6.2). */
export function allowedAnnouncement(value: string): string | undefined {
  const names = value.split(',').map((name) => name.trim());
  const kept = names.filter((name) => name !== '' && isAllowed(name));
  return kept.length === 0 ? undefined : kept.join(', ');
}
