/** A target that has just come, or come back, begins with so much of its weight; Envoy's `min_weight_percent`. */
const firstShare = 0.1;

/**
 * How much of its weight a target has so long after it came: little at first and all of it in the end, linearly, so
 * that its caches and compilers are warm before it gets what the others get.
 */
export function slowStartShare(sinceMs: number, slowStartMs: number): number {
  if (sinceMs >= slowStartMs) return 1;
  return firstShare + (1 - firstShare) * Math.max(0, sinceMs / slowStartMs);
}
