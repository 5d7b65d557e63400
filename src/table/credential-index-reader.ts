import type { Credential } from './credential-entry.ts';
import {
  homeSlot,
  neverUsed,
  openMemory,
  shows,
  slotAfter,
  slotsAt,
  type CredentialMemory,
} from './credential-memory.ts';
import { expiryMs, unpackRecord } from './credential-record.ts';

/** A reader of the index; `credential-index.ts` says what keeps it right. */
export interface CredentialIndexReader {
  /**
   * What a digest proves at a time.
   *
   * @param digest as `digest.ts` makes it
   * @param nowMs milliseconds since the epoch; a credential has expired from its `expiresAtMs` on
   */
  find(digest: Buffer, nowMs: number): Credential | 'expired' | 'unknown';
  /** What `find` reads from, undefined where it finds no credential: the same place is the same credential. */
  placeOf(digest: Buffer, nowMs: number): number | undefined;
}

/** Opens the index in memory that the writer shared. */
export function openCredentialIndex(buffer: SharedArrayBuffer): CredentialIndexReader {
  const memory = openMemory(buffer);
  return {
    placeOf(digest, nowMs) {
      const place = findPlace(memory, digest);
      return place === undefined || expiryMs(memory.bytes, place) <= nowMs ? undefined : place;
    },
    find(digest, nowMs) {
      const place = findPlace(memory, digest);
      if (place === undefined) return 'unknown';
      return expiryMs(memory.bytes, place) <= nowMs ? 'expired' : unpackRecord(memory.bytes, place);
    },
  };
}

/** Where the record of a digest is. Each slot is loaded once, and all that is judged is what that gave. */
function findPlace(memory: CredentialMemory, digest: Buffer): number | undefined {
  let slot = homeSlot(memory, digest, 0);
  for (;;) {
    const loaded = Atomics.load(memory.words, slotsAt + slot);
    if (loaded === neverUsed) return undefined;
    if (shows(memory, loaded, digest)) return loaded & memory.placeMask;
    slot = slotAfter(memory, slot);
  }
}
