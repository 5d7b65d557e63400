import { createHash, randomInt } from 'node:crypto';

/** Room for a suffix within the 253 characters of a name. */
const longest = 200;

/** Lower-case, with what a DNS name cannot have taken out of it. */
function dnsName(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/[.-]*\.[.-]*/g, '.')
    .slice(0, longest)
    .replaceAll(/^[.-]+|[.-]+$/g, '');
}

/**
 * A name for a new object (RFC 1123 subdomain) made from what a person called it: readable where that is
 * possible, with a piece of its hash where something had to change or the plain name is taken.
 */
export function objectName(wanted: string, isTaken: (name: string) => boolean): string {
  const plain = dnsName(wanted);
  if (plain === wanted && !isTaken(plain)) return plain;
  const hash = createHash('sha256').update(wanted, 'utf8').digest('hex').slice(0, 8);
  const base = plain === '' ? hash : `${plain}-${hash}`;
  for (let i = 1; ; i += 1) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (!isTaken(name)) return name;
  }
}

const lowerCase = 'abcdefghijklmnopqrstuvwxyz0123456789';
const mixedCase = `ABCDEFGHIJKLMNOPQRSTUVWXYZ${lowerCase}`;

/** Characters of an alphabet, each as likely as the other. */
function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** Tells objects apart that are made of the same thing, such as two keys of a consumer. */
export const randomSuffix = (): string => randomText(lowerCase, 6);

/** A new key: 32 characters of [A-Za-z0-9], 190 bits (kong-facts 1.2). */
export const generateKey = (): string => randomText(mixedCase, 32);
