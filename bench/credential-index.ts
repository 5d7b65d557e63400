/**
 * The credential index at 1,000,000 keys: bytes, time to build, to look up and to rebuild. Runs by itself
 * (`node bench/credential-index.ts`) or from `bench/main.ts`.
 */
import { hash } from 'node:crypto';
import type { CredentialEntry } from '#table/credential-entry.ts';
import { openCredentialIndex, type CredentialIndexReader } from '#table/credential-index-reader.ts';
import { CredentialIndex } from '#table/credential-index.ts';
import { digestSecretBytes, makeDigest } from '#table/digest.ts';

const keys = 1_000_000;
const lookUps = 1_000_000;
/** Coprime to `keys`: steps through them in an order that no cache foresees. */
const stride = 618_033;

const digest = makeDigest(Buffer.alloc(digestSecretBytes, 7));
const keyOf = (i: number): string => `key-${i}-k7Qm2ZpX9vR4tL8w`;
const digestOf = (i: number): Buffer => digest('key-auth', keyOf(i));

function uuidOf(name: string): string {
  const hex = hash('sha1', name, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** One consumer a key, its username 12 characters long, no custom id, one in four expiring some day. */
function entryOf(i: number): CredentialEntry {
  const username = `user-${String(i).padStart(7, '0')}`;
  return {
    kind: 'credential',
    key: `credential:${i}`,
    digest: digestOf(i).toString('base64url'),
    credentialId: uuidOf(`credential ${i}`),
    consumer: { id: uuidOf(username), username, namespace: 'default' },
    ...(i % 4 === 0 ? { expiresAtMs: 4e12 } : {}),
  };
}

function timed(run: () => void): number {
  const startedAt = performance.now();
  run();
  return performance.now() - startedAt;
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
const megabytes = (bytes: number): number => rounded(bytes / 1e6);

/** Nanoseconds that each of many look-ups takes; the second of two runs, the first being warm-up. */
function lookUpNs(find: (i: number) => unknown, expected: (found: unknown) => boolean): number {
  let elapsedMs = 0;
  for (let run = 0; run < 2; run += 1) {
    let wrong = 0;
    elapsedMs = timed(() => {
      for (let i = 0; i < lookUps; i += 1) if (!expected(find((i * stride) % keys))) wrong += 1;
    });
    if (wrong > 0) throw new Error(`${wrong} look-ups gave the wrong answer`);
  }
  return rounded((elapsedMs * 1e6) / lookUps);
}

/** Digests one behind the other, in the order in which they are looked up: reading them costs next to nothing. */
function digestsFrom(first: number): (i: number) => Buffer {
  const all = Buffer.alloc(keys * 16);
  for (let i = 0; i < keys; i += 1) digestOf(first + ((i * stride) % keys)).copy(all, i * 16);
  const digests = Array.from({ length: keys }, (_, i) => all.subarray(i * 16, i * 16 + 16));
  let next = 0;
  return () => digests[next++ % keys] ?? all;
}

const isFound = (found: unknown): boolean => typeof found === 'object';
const isUnknown = (found: unknown): boolean => found === 'unknown';

function measureLookUps(reader: CredentialIndexReader) {
  const hit = digestsFrom(0);
  const miss = digestsFrom(keys);
  return {
    hitNs: lookUpNs((i) => reader.find(hit(i), 1), isFound),
    missNs: lookUpNs((i) => reader.find(miss(i), 1), isUnknown),
    hitWithHashNs: lookUpNs((i) => reader.find(digestOf(i), 1), isFound),
    missWithHashNs: lookUpNs((i) => reader.find(digestOf(keys + i), 1), isUnknown),
    hashNs: lookUpNs(digestOf, isFound),
  };
}

/** Puts until memory is new, as one more consumer after another comes, and gives how long that one put took. */
function measureRebuild(index: CredentialIndex) {
  const before = index.buffer;
  let rebuildMs = 0;
  let first = keys;
  while (index.buffer === before) {
    const entry = entryOf(first);
    rebuildMs = timed(() => index.put(entry));
    first += 1;
  }
  return {
    rebuildMs: rounded(rebuildMs),
    keysAtRebuild: index.size,
    bytesAfterRebuildMB: megabytes(index.stats().bytes),
  };
}

/** Builds an index of 1,000,000 keys and measures it. */
export async function credentialIndexBench(): Promise<Record<string, unknown>> {
  const entries = Array.from({ length: keys }, (_, i) => entryOf(i));
  const index = new CredentialIndex();
  const rssBefore = process.memoryUsage.rss();
  let longestPutMs = 0;
  const buildMs = timed(() => {
    for (const entry of entries) {
      const putMs = timed(() => index.put(entry));
      if (putMs > longestPutMs) longestPutMs = putMs;
    }
  });
  const rss = process.memoryUsage.rss() - rssBefore;
  const { bytes, usedBytes, slots } = index.stats();
  return {
    keys,
    slots,
    rss: megabytes(rss),
    allocatedMB: megabytes(bytes),
    usedMB: megabytes(usedBytes),
    buildMs: rounded(buildMs),
    longestPutMs: rounded(longestPutMs),
    ...measureLookUps(openCredentialIndex(index.buffer)),
    ...measureRebuild(index),
  };
}

if (import.meta.main) console.log(await credentialIndexBench());
