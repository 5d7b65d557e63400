import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import type { Logger } from '#telemetry/log.ts';

/** How long another controller that holds a condition has to come to the same view, in milliseconds. */
const firstGraceMs = 2000;
/** At most so long, where the other erases what we say beside it again and again. */
const mostGraceMs = 600_000;

/** Objects whose condition another controller holds while it says something else than we do. */
export function createDisputes(log: Logger) {
  const sinceMs = new Map<string, number>();
  const timesYielded = new Map<string, number>();
  const told = new Set<string>();

  const graceMs = (key: string): number => Math.min(firstGraceMs * 2 ** (timesYielded.get(key) ?? 0), mostGraceMs);

  return {
    /** Milliseconds that are left until it is no longer that the other may only be late. */
    leftMs(ref: Ref): number {
      const key = refKey(ref);
      const beganAtMs = sinceMs.get(key) ?? performance.now();
      sinceMs.set(key, beganAtMs);
      return beganAtMs + graceMs(key) - performance.now();
    },
    /** What we say stands, in the condition itself or beside it. */
    settled(ref: Ref): void {
      sinceMs.delete(refKey(ref));
    },
    /** We gave way; should it come to that again we take twice the time. */
    yielded(ref: Ref): void {
      timesYielded.set(refKey(ref), (timesYielded.get(refKey(ref)) ?? 0) + 1);
      sinceMs.delete(refKey(ref));
    },
    forget(ref: Ref): void {
      sinceMs.delete(refKey(ref));
      timesYielded.delete(refKey(ref));
    },
    /** Says, once for each of them, that others write a condition and which is ours instead. */
    tell(ref: Ref, managers: readonly string[], ownType: string): void {
      const others = managers.join(', ');
      if (told.has(others)) return;
      told.add(others);
      const text = `${others} writes the condition Programmed too, and says something else; ours is ${ownType}`;
      log.warn({ object: formatRef(ref) }, text);
    },
  };
}
