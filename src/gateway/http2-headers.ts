/** A flat list of names and values as a head of HTTP/2 has them, without pseudo-headers (RFC 9113 section 8.3). */
export function withoutPseudoHeaders(raw: readonly string[]): string[] {
  const headers: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (!name.startsWith(':')) headers.push(name, raw[i + 1] ?? '');
  }
  return headers;
}
