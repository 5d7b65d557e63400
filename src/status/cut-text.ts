const encoder = new TextEncoder();

/** Length in bytes of UTF-8, as the API server counts. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/**
 * The text, or as much of it as fits into so many bytes of UTF-8 with a mark behind it that says it was
 * cut. Cut between characters: half of one would be refused.
 */
export function cutText(text: string, limitBytes: number, mark: string): string {
  if (byteLength(text) <= limitBytes) return text;
  const room = new Uint8Array(Math.max(0, limitBytes - byteLength(mark)));
  const { read } = encoder.encodeInto(text, room);
  return `${text.slice(0, read)}${mark}`;
}
