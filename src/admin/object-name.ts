import { createHash } from 'node:crypto';

/** Room for a suffix within the 253 characters of a name. */
const longest = 200;

/**
 * A name for a new object (RFC 1123 subdomain) made from what a person called it: readable where that is
 * possible, with a piece of its hash where something had to change or the plain name is taken.
 */
export function objectName(wanted: string, isTaken: (name: string) => boolean): string {
  const plain = wanted
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/\.{2,}|-*\.-*/g, '.')
    .slice(0, longest)
    .replaceAll(/^[.-]+|[.-]+$/g, '');
  if (plain === wanted && !isTaken(plain)) return plain;
  const hash = createHash('sha256').update(wanted, 'utf8').digest('hex').slice(0, 8);
  const base = plain === '' ? hash : `${plain}-${hash}`;
  for (let i = 1; ; i += 1) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (!isTaken(name)) return name;
  }
}
