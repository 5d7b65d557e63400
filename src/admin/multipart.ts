/** A field of a form, its bytes as latin1 text: what they say is for the caller to decode. */
export type FormPart = readonly [name: string, value: string];

/** `a%22b` as browsers write a quote in a name, `a\"b` as older clients do. */
const unquote = (name: string): string => name.replaceAll(/%22|\\"/g, '"').replaceAll('\\\\', '\\');

function partOf(text: string): FormPart | undefined {
  const end = text.indexOf('\r\n\r\n');
  const name = /^content-disposition:\s*form-data\b[^\r\n]*?;\s*name=(?:"((?:[^"\\\r\n]|\\.)*)"|([^;\s]+))/im.exec(
    text.slice(0, Math.max(end, 0)),
  );
  return end < 0 || name === null ? undefined : [unquote(name[1] ?? name[2] ?? ''), text.slice(end + 4)];
}

/**
 * The parts of a multipart/form-data body (RFC 7578), those of files too; undefined if it is none.
 *
 * @param most parts; of more only the first are given, one more than that
 */
export function multipartParts(bytes: Buffer, contentType: string, most: number): FormPart[] | undefined {
  const found = /;\s*boundary=(?:"([^"]{1,70})"|([^;\s]{1,70}))/i.exec(contentType);
  const boundary = found?.[1] ?? found?.[2];
  if (boundary === undefined) return undefined;
  // Before the first boundary stands a preamble, behind the last `--` and an epilogue.
  const [, ...sections] = `\r\n${bytes.toString('latin1')}`.split(`\r\n--${boundary}`, most + 3);
  if (sections.length <= most + 1 && !(sections.pop() ?? '').startsWith('--')) return undefined;
  const parts = sections.map(partOf);
  return parts.every((part) => part !== undefined) ? parts : undefined;
}
