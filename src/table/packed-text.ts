/**
 * Texts in few bytes that come back exactly as they were, unpaired surrogates included. Each has a kind,
 * one byte in the head of its record, and its bytes:
 *
 *   0      no text            nothing
 *   1      a UUID             16 bytes, if it is written in lower case with hyphens
 *   2      any other          uint32: bytes that follow × 2, + 1 if they are UTF-16 and not Latin-1; they
 *   3 …    short Latin-1      kind - 3 bytes
 */
const absentKind = 0;
const uuidKind = 1;
const longKind = 2;
const shortKind = 3;

const uuidBytes = 16;
const uuidChars = 36;
const lengthBytes = 4;
const longestShort = 255 - shortKind;

/** Never less than the bytes that the text takes. */
export function mostTextBytes(text: string | undefined): number {
  return text === undefined ? 0 : lengthBytes + text.length * 2;
}

/** Packs a text to `at`, its kind to `kindAt`, and gives the end. */
export function packText(text: string | undefined, to: Buffer, kindAt: number, at: number): number {
  to[kindAt] = absentKind;
  if (text === undefined) return at;
  if (packUuid(text, to, at)) {
    to[kindAt] = uuidKind;
    return at + uuidBytes;
  }
  if (text.length <= longestShort && packLatin1(text, to, at)) {
    to[kindAt] = shortKind + text.length;
    return at + text.length;
  }
  to[kindAt] = longKind;
  return packLong(text, to, at);
}

function packLong(text: string, to: Buffer, at: number): number {
  const start = at + lengthBytes;
  const isLatin1 = packLatin1(text, to, start);
  const length = isLatin1 ? text.length : to.write(text, start, 'utf16le');
  to.writeUInt32LE(length * 2 + (isLatin1 ? 0 : 1), at);
  return start + length;
}

/** Packs a text if it is Latin-1, else gives false; what it wrote then does not matter. */
function packLatin1(text: string, to: Buffer, at: number): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return false;
    to[at + i] = code;
  }
  return true;
}

const hyphen = 0x2d;
/** Where the bytes of a UUID stand among its characters, and its hyphens. */
const hexAt = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);
const hyphensAt = Uint8Array.of(8, 13, 18, 23);
/** Values of the digits that a UUID is written with, by character; 16 for what is none. */
const digitValues = Uint8Array.from({ length: 256 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code));
  return value < 0 ? 16 : value;
});

/** Packs a text if it is a UUID, else gives false; what it wrote then does not matter. */
function packUuid(text: string, to: Buffer, at: number): boolean {
  if (text.length !== uuidChars) return false;
  if (hyphensAt.some((i) => text.charCodeAt(i) !== hyphen)) return false;
  for (let i = 0; i < uuidBytes; i += 1) {
    const first = digitValues[text.charCodeAt(hexAt[i] ?? 0)] ?? 16;
    const second = digitValues[text.charCodeAt((hexAt[i] ?? 0) + 1)] ?? 16;
    if (first > 15 || second > 15) return false;
    to[at + i] = first * 16 + second;
  }
  return true;
}

/** How many bytes the text of this kind at `at` takes. */
export function textBytes(bytes: Buffer, kind: number, at: number): number {
  if (kind >= shortKind) return kind - shortKind;
  if (kind === uuidKind) return uuidBytes;
  return kind === absentKind ? 0 : lengthBytes + (bytes.readUInt32LE(at) >>> 1);
}

/** The text of this kind at `at`. */
export function unpackText(bytes: Buffer, kind: number, at: number): string | undefined {
  if (kind === uuidKind) return unpackUuid(bytes, at);
  if (kind === absentKind) return undefined;
  if (kind >= shortKind) return unpackLatin1(bytes, at, at + kind - shortKind);
  const length = bytes.readUInt32LE(at);
  const start = at + lengthBytes;
  return bytes.toString(length % 2 === 1 ? 'utf16le' : 'latin1', start, start + (length >>> 1));
}

/** Up to so many characters, joining them by fours takes half the time of `toString`. */
const fewChars = 24;

function unpackLatin1(bytes: Buffer, start: number, end: number): string {
  if (end - start > fewChars) return bytes.toString('latin1', start, end);
  const char = (at: number): number => bytes[at] ?? 0;
  let text = '';
  let at = start;
  for (; at + 4 <= end; at += 4) text += String.fromCharCode(char(at), char(at + 1), char(at + 2), char(at + 3));
  for (; at < end; at += 1) text += String.fromCharCode(char(at));
  return text;
}

/** How far 'a' is from where the digit after '9' would be. */
const lettersBehind = 39;

/** The characters of two bytes in hexadecimal, in the four bytes of a number: all four are made at once. */
function fourDigits(bytes: Buffer, at: number): number {
  const value = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  const digits = ((value & 0xf000) << 12) | ((value & 0x0f00) << 8) | ((value & 0xf0) << 4) | (value & 0x0f);
  const areLetters = ((digits + 0x06_06_06_06) >>> 4) & 0x01_01_01_01;
  return (digits + 0x30_30_30_30 + areLetters * lettersBehind) | 0;
}

/** One call with every character takes half the time of `toString('hex')` and cutting that up. */
function unpackUuid(bytes: Buffer, at: number): string {
  const a = fourDigits(bytes, at);
  const b = fourDigits(bytes, at + 2);
  const c = fourDigits(bytes, at + 4);
  const d = fourDigits(bytes, at + 6);
  const e = fourDigits(bytes, at + 8);
  const f = fourDigits(bytes, at + 10);
  const g = fourDigits(bytes, at + 12);
  const h = fourDigits(bytes, at + 14);
  // oxfmt-ignore
  return String.fromCharCode(
    a >>> 24, (a >>> 16) & 255, (a >>> 8) & 255, a & 255,
    b >>> 24, (b >>> 16) & 255, (b >>> 8) & 255, b & 255, hyphen,
    c >>> 24, (c >>> 16) & 255, (c >>> 8) & 255, c & 255, hyphen,
    d >>> 24, (d >>> 16) & 255, (d >>> 8) & 255, d & 255, hyphen,
    e >>> 24, (e >>> 16) & 255, (e >>> 8) & 255, e & 255, hyphen,
    f >>> 24, (f >>> 16) & 255, (f >>> 8) & 255, f & 255,
    g >>> 24, (g >>> 16) & 255, (g >>> 8) & 255, g & 255,
    h >>> 24, (h >>> 16) & 255, (h >>> 8) & 255, h & 255,
  );
}
