import { peerName, weightOf, type Peer } from './peer.ts';

/** FNV-1a with murmur3's last step, so that similar texts lie far apart. Not secret: only to spread. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** How much a peer wants a slot: weighted rendezvous hashing, which needs no state and never looks at the others. */
function wish(peerHash: number, slot: number, weight: number): number {
  const unit = (mix(peerHash ^ mix(slot + 1)) + 1) / 2 ** 32;
  return weight / -Math.log(unit === 1 ? 1 - 2 ** -33 : unit);
}

function wisherOf(slot: number, peers: readonly Peer[], hashes: ReadonlyMap<Peer, number>): Peer | undefined {
  let best: Peer | undefined;
  let most = Number.NEGATIVE_INFINITY;
  for (const peer of peers) {
    const wished = wish(hashes.get(peer) ?? 0, slot, weightOf(peer));
    if (wished > most) {
      most = wished;
      best = peer;
    }
  }
  return best;
}

/**
 * Which peer has which hash. A hash falls on one of the slots, and each slot belongs to the peer that wishes it
 * most: when one goes, its slots alone change hands; when one comes, it takes its share from all. It depends on
 * nothing but slots and peers, so all workers and replicas agree. Owners are found when first asked.
 */
export function createRing(slots: number, peers: readonly Peer[]) {
  const hashes = new Map(peers.map((peer) => [peer, hashText(peerName(peer.target))]));
  const owners = new Int32Array(slots).fill(-1);
  return {
    /** The owner of a hash among all peers, or, when it may not be used, among those that may. */
    choose(hash: number, usable: readonly Peer[]): Peer | undefined {
      const slot = hash % slots;
      let owner = peers[owners[slot] ?? -1];
      if (owner === undefined) {
        owner = wisherOf(slot, peers, hashes);
        owners[slot] = owner === undefined ? -1 : peers.indexOf(owner);
      }
      return owner !== undefined && usable.includes(owner) ? owner : wisherOf(slot, usable, hashes);
    },
  };
}

export type Ring = ReturnType<typeof createRing>;
