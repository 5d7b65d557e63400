import { RE2JS } from 're2js';

/** Tells whether an origin may read the answers. */
export type OriginCheck = (origin: string) => boolean;

/** What can only be meant as it stands: no character of it is special in an expression but the dot. */
const plain = /^[\w.:\/\-]+$/v;

/** The form that browsers send: lower case, without the port that goes without saying. */
function normalised(origin: string): string {
  const { origin: known } = URL.canParse(origin) ? new URL(origin) : { origin: 'null' };
  return known === 'null' ? origin : known;
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : '';
}

function checkOf(item: string): OriginCheck {
  if (item === '*') return () => true;
  const exact = normalised(item);
  // Without a dot's freedom: `https://a.example` must not let in `https://aXexample`.
  if (plain.test(item)) {
    return item.includes(':') ? (origin) => normalised(origin) === exact : (origin) => hostOf(origin) === item;
  }
  const regex = RE2JS.compile(item);
  const subject = item.includes(':') ? normalised : hostOf;
  return (origin) => {
    const text = subject(origin);
    // `null`, which any sandboxed page sends, has no host: `.*` of hosts must not let it in.
    return normalised(origin) === exact || (text !== '' && regex.matches(text));
  };
}

/**
 * An item is tried as an origin, then as an expression, which must match the whole origin; one without `:`
 * the whole host. Stricter than Kong, where an expression may match from the start up to anywhere.
 */
export function originCheck(items: readonly string[]): OriginCheck {
  const checks = items.map((item) => checkOf(item));
  return (origin) => checks.some((isAllowed) => isAllowed(origin));
}

/** The origin of a list of one that is no expression: it is stated whoever asks. */
export function soleOrigin(items: readonly string[]): string | undefined {
  const [only] = items;
  return items.length === 1 && only !== undefined && plain.test(only) && only.includes(':') ? only : undefined;
}
