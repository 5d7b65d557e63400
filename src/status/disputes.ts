import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import type { Logger } from '#telemetry/log.ts';

/** How long another controller that holds a condition has to come to the same view, in milliseconds. */
const graceMs = 2000;

/** Objects whose condition another controller holds while it says something else than we do. */
export function createDisputes(log: Logger) {
  const sinceMs = new Map<string, number>();
  const told = new Set<string>();

  return {
    /** Milliseconds that are left until it is no longer that the other may only be late. */
    leftMs(ref: Ref): number {
      const beganAtMs = sinceMs.get(refKey(ref)) ?? performance.now();
      sinceMs.set(refKey(ref), beganAtMs);
      return beganAtMs + graceMs - performance.now();
    },
    settled(ref: Ref): void {
      sinceMs.delete(refKey(ref));
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
