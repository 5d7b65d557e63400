/** More digits than a number can hold exactly. */
const mostDigits = 15;

/**
 * The bytes that a Content-Length states (RFC 9110 section 8.6); undefined for anything but 1 to 15 digits. Digit by
 * digit: a look with an expression, and `Number` of part of a text, are calls into V8.
 */
export function readContentLength(text: string): number | undefined {
  if (text.length === 0 || text.length > mostDigits) return undefined;
  let bytes = 0;
  for (let i = 0; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    bytes = bytes * 10 + digit;
  }
  return bytes;
}
