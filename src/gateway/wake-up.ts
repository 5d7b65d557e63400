/** Lets many wait until something is true, and looks again whenever it may have become so. */
export function createWakeUp() {
  const waiters = new Set<() => void>();
  return {
    /** Something changed: everybody who waits looks again. */
    wake(): void {
      // A Set may be changed while it is gone through; whoever waits again comes later.
      const woken = Array.from(waiters);
      for (const waiter of woken) waiter();
    },

    /** Resolves when it is true; rejects with what `isTrue` throws. */
    async until(isTrue: () => boolean): Promise<void> {
      while (!isTrue()) {
        await new Promise<void>((resolve) => {
          const waiter = (): void => {
            waiters.delete(waiter);
            resolve();
          };
          waiters.add(waiter);
        });
      }
    },
  };
}
