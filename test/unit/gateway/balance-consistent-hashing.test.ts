import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRing, hashText } from '../../../src/gateway/balance-consistent-hashing.ts';
import { newPeer, peerName, type Peer } from '../../../src/gateway/peer.ts';

const peersOf = (count: number, weight = 1): Peer[] =>
  Array.from({ length: count }, (_, i) => newPeer({ host: `10.0.0.${i + 1}`, port: 8080, weight }));

const keys = Array.from({ length: 4_000 }, (_, i) => hashText(`user-${i}`));
const slots = 10_000;

function ownersOf(peers: readonly Peer[], usable = peers): string[] {
  const ring = createRing(slots, peers);
  return keys.map((key) => {
    const peer = ring.choose(key, usable);
    return peer === undefined ? '' : peerName(peer.target);
  });
}

const shareOf = (owners: readonly string[], name: string): number =>
  owners.filter((owner) => owner === name).length / owners.length;

test('each peer gets its share', () => {
  const peers = peersOf(5);
  const owners = ownersOf(peers);
  for (const peer of peers) expect(shareOf(owners, peerName(peer.target))).toBeCloseTo(1 / 5, 1);
});

test('a peer of twice the weight gets twice as much', () => {
  const [one, two] = peersOf(2) as [Peer, Peer];
  two.target = { ...two.target, weight: 2 };
  expect(shareOf(ownersOf([one, two]), peerName(two.target))).toBeCloseTo(2 / 3, 1);
});

test('when one of n goes its own keys move and no others, about one in n', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.nat(), (count, pick) => {
      const peers = peersOf(count);
      const gone = peers[pick % count] as Peer;
      const before = ownersOf(peers);
      const after = ownersOf(peers.filter((peer) => peer !== gone));
      const moved = before.filter((owner, i) => owner !== after[i]);
      expect(new Set(moved)).toEqual(new Set([peerName(gone.target)]));
      expect(moved.length / keys.length).toBeGreaterThan(0.5 / count);
      expect(moved.length / keys.length).toBeLessThan(1.5 / count);
    }),
    { numRuns: 20 },
  );
});

test('a peer that may not be used moves what one that is gone would', () => {
  const peers = peersOf(4);
  expect(ownersOf(peers, peers.slice(1))).toEqual(ownersOf(peers.slice(1)));
});

test('the order of the peers changes nothing', () => {
  const peers = peersOf(6);
  expect(ownersOf([...peers].reverse())).toEqual(ownersOf(peers));
});

test('nobody who may be used is nobody', () => {
  expect(createRing(10, peersOf(2)).choose(7, [])).toBeUndefined();
});
