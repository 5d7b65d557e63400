/** A quoted string of a header: RFC 9110 section 5.6.4. */
export function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
