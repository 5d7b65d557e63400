/**
 * Times between attempts that fail: doubling from `firstMs` to `mostMs`, each shortened at random by up to
 * half, so that many clients of one server that comes back do not all come at once.
 */
export function createBackoff({ firstMs, mostMs }: { readonly firstMs: number; readonly mostMs: number }) {
  let nextMs = firstMs;
  return {
    /** Milliseconds to wait before the next attempt. */
    next(): number {
      const ms = nextMs;
      nextMs = Math.min(nextMs * 2, mostMs);
      return ms * (1 - Math.random() / 2);
    },
    /** To be called when an attempt succeeds. */
    reset(): void {
      nextMs = firstMs;
    },
  };
}
