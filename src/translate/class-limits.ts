import type { IngressClass } from '#resources/ingress-class.ts';
import type { Problem } from '#resources/verdict.ts';
import { limitRanges, type LimitsEntry, type LiveLimits } from '#table/limits-entry.ts';
import { annotationField } from './annotations.ts';
import { parseSize } from './size.ts';

const numbers = [
  ['latchkey.dev/client-header-timeout-ms', 'headersTimeoutMs'],
  ['latchkey.dev/client-request-timeout-ms', 'requestTimeoutMs'],
  ['latchkey.dev/client-idle-timeout-ms', 'keepAliveTimeoutMs'],
  ['latchkey.dev/client-header-bytes', 'headBytes'],
  ['latchkey.dev/client-uri-bytes', 'uriBytes'],
  ['latchkey.dev/client-header-count', 'headerCount'],
  ['latchkey.dev/max-connections', 'connections'],
  ['latchkey.dev/max-tunnels', 'tunnels'],
] as const;

/** A whole number within bounds, both included; undefined for anything else. */
const wholeNumber =
  ({ min, max }: { readonly min: number; readonly max: number }) =>
  (text: string): number | undefined => {
    const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    return number >= min && number <= max ? number : undefined;
  };

/**
 * The limits that an ingress class states. One that cannot be read leaves what the flags say: closing everything for
 * a slip in one of them would be worse than the limit that held before.
 */
export function classLimits({ metadata }: IngressClass, problems: Problem[]): LimitsEntry | undefined {
  const limits: { -readonly [K in keyof LiveLimits]?: number } = {};
  const read = (name: string, parse: (text: string) => number | undefined, expected: string): number | undefined => {
    const text = metadata.annotations?.[name]?.trim();
    const value = text === undefined ? undefined : parse(text);
    if (text !== undefined && value === undefined) {
      const field = annotationField(name);
      const message = `${field}: expected ${expected}, so the flag of that name holds`;
      problems.push({ reason: 'InvalidAnnotation', field, message, effect: 'field ignored' });
    }
    return value;
  };
  const bodyBytes = read('latchkey.dev/client-max-body-size', parseSize, 'a size such as 512k, 10m or 0');
  if (bodyBytes !== undefined) limits.bodyBytes = bodyBytes;
  for (const [name, limit] of numbers) {
    const range = limitRanges[limit];
    const value = read(name, wholeNumber(range), `a whole number from ${range.min} to ${range.max}`);
    if (value !== undefined) limits[limit] = value;
  }
  return Object.keys(limits).length === 0 ? undefined : { kind: 'limits', key: 'limits:', limits };
}
