import type { Ref } from '#resources/ref.ts';

/** How a writer learns that what it wrote has come back. */
export interface Observations {
  /**
   * Resolves when this version of an object, or a later one, has been delivered, or that it is gone; and, since
   * nobody waits any more, when `signal` is aborted.
   */
  untilObserved(ref: Ref, what: { readonly resourceVersion: string } | 'gone', signal: AbortSignal): Promise<void>;
}

/** Versions are numbers that grow, compared as text of any length: https://kep.k8s.io/5504 */
const isAtLeast = (version: string, wanted: string): boolean =>
  version.length === wanted.length ? version >= wanted : version.length > wanted.length;

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
}

export interface ObservationOptions {
  /** Version of an object that its list-watch has seen last; undefined when there is none. */
  versionOf(ref: Ref): string | undefined;
  /** Whether a change of it has been seen and not yet delivered. */
  isGathered(ref: Ref): boolean;
}

/** Lets writers wait for what is delivered; `check` has to be called after every delivery. */
export function createObservations({ versionOf, isGathered }: ObservationOptions) {
  const waiters = new Set<Waiter>();
  return {
    async untilObserved(
      ref: Ref,
      what: { readonly resourceVersion: string } | 'gone',
      signal: AbortSignal,
    ): Promise<void> {
      let wasThere = false;
      const isMet = (): boolean => {
        if (isGathered(ref)) return false;
        const version = versionOf(ref);
        // What somebody else deleted before it was seen at the wanted version will never be.
        if (version === undefined) return what === 'gone' || wasThere;
        wasThere = true;
        return what !== 'gone' && isAtLeast(version, what.resourceVersion);
      };
      if (isMet()) return;
      await new Promise<void>((resolve) => {
        const waiter = { isMet, resolve };
        waiters.add(waiter);
        signal.addEventListener('abort', () => {
          waiters.delete(waiter);
          resolve();
        });
      });
    },

    check(): void {
      for (const waiter of waiters) {
        if (!waiter.isMet()) continue;
        waiters.delete(waiter);
        waiter.resolve();
      }
    },
  };
}
