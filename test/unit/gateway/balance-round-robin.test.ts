import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseInTurn } from '../../../src/gateway/balance-round-robin.ts';
import { newPeer, type Peer } from '../../../src/gateway/peer.ts';

const peersOf = (weights: readonly number[]): Peer[] =>
  weights.map((weight, i) => newPeer({ host: `10.0.0.${i + 1}`, port: 80, weight }));

const turns = (peers: readonly Peer[], count: number): number[] =>
  Array.from({ length: count }, () => peers.indexOf(chooseInTurn(peers, 0)));

test('peers of one weight come one after the other', () => {
  expect(turns(peersOf([1, 1, 1]), 6)).toEqual([0, 1, 2, 0, 1, 2]);
});

test('a heavier peer comes more often and not in one go', () => {
  expect(turns(peersOf([5, 1, 1]), 7)).toEqual([0, 0, 1, 0, 2, 0, 0]);
});

test('in as many turns as all weights together, each comes as often as its weight', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }), (weights) => {
      const chosen = turns(
        peersOf(weights),
        weights.reduce((sum, weight) => sum + weight, 0),
      );
      expect(weights.map((_, i) => chosen.filter((turn) => turn === i).length)).toEqual(weights);
    }),
  );
});
