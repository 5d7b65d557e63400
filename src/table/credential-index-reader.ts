import type { Credential } from './credential-entry.ts';
import {
  digestWords,
  empty,
  homeSlot,
  openMemory,
  slotAt,
  tombstone,
  unitBytes,
  type CredentialMemory,
} from './credential-memory.ts';
import { unpackRecord } from './credential-record.ts';

/** A reader of the index; see `credential-index.ts` for what keeps it right. */
export interface CredentialIndexReader {
  /** @param digest as `digest.ts` makes it */
  find(digest: Buffer, nowMs: number): Credential | 'expired' | 'unknown';
}

/** Opens the index in memory that the writer shared. */
export function openCredentialIndex(buffer: SharedArrayBuffer): CredentialIndexReader {
  const memory = openMemory(buffer);
  return {
    find(digest, nowMs) {
      const place = findPlace(memory, digest);
      if (place === undefined) return 'unknown';
      const { expiresAtMs, ...credential } = unpackRecord(memory.arena, place * unitBytes);
      return expiresAtMs <= nowMs ? 'expired' : credential;
    },
  };
}

/** Whether the slot whose words begin at `at` holds the digest, going by words that may be changing. */
function holds(words: Int32Array, at: number, digest: Buffer): boolean {
  for (let i = 0; i < digestWords; i += 1) {
    if (Atomics.load(words, at + i) !== digest.readInt32LE(i * 4)) return false;
  }
  return true;
}

/**
 * Where the record of a digest stands. Comparing may stop at the first word that differs: digests are
 * keyed with a secret of the process, so how far one matches tells nothing about any key.
 */
function findPlace({ words, slots }: CredentialMemory, digest: Buffer): number | undefined {
  let slot = homeSlot(digest.readInt32LE(0), slots);
  for (let probes = 0; probes < slots; probes += 1) {
    const at = slotAt(slot);
    let state = Atomics.load(words, at + digestWords);
    while (state !== empty && state !== tombstone) {
      const isSame = holds(words, at, digest);
      const again = Atomics.load(words, at + digestWords);
      if (again === state) {
        if (isSame) return state;
        break;
      }
      // Written while we looked: the words may be of two digests. Look at this slot again.
      state = again;
    }
    if (state === empty) return undefined;
    slot = slot + 1 === slots ? 0 : slot + 1;
  }
  return undefined;
}
