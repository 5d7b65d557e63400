import { randomFillSync } from 'node:crypto';

const idBytes = 16;
const idDigits = idBytes * 2;
const pool = Buffer.alloc(idBytes * 256);
/** Digits of ids that are still to be given out: to write one each time costs ten times as much as to cut it off. */
let digits = '';
let used = 0;

/** A new request id: 32 hexadecimal digits, random, as Kong's are (kong-facts 2.2). */
export function newRequestId(): string {
  if (used === digits.length) {
    digits = randomFillSync(pool).toString('hex');
    used = 0;
  }
  used += idDigits;
  return digits.slice(used - idDigits, used);
}
