import type { OutgoingHttpHeaders } from 'node:http2';

/** A flat list of names and values as a head of HTTP/2 has them, without pseudo-headers (RFC 9113 section 8.3). */
export function withoutPseudoHeaders(raw: readonly string[]): string[] {
  const headers: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (!name.startsWith(':')) headers.push(name, raw[i + 1] ?? '');
  }
  return headers;
}

/** A flat list of names and values as Node's HTTP/2 takes them: names in lower case, what stands twice as a list. */
export function fieldsOf(flat: readonly string[]): OutgoingHttpHeaders {
  const fields = Object.create(null) as OutgoingHttpHeaders; // a field may be called `constructor`
  for (let i = 0; i < flat.length; i += 2) {
    const name = (flat[i] ?? '').toLowerCase();
    const value = flat[i + 1] ?? '';
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else fields[name] = [...(Array.isArray(before) ? before : [String(before)]), value];
  }
  return fields;
}
