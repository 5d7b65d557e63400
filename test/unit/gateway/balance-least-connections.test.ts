import { expect, test } from 'vitest';
import { chooseLeastConnections } from '../../../src/gateway/balance-least-connections.ts';
import { newPeer, type Peer } from '../../../src/gateway/peer.ts';

const peerWith = (host: string, connections: number, weight = 1): Peer =>
  Object.assign(newPeer({ host, port: 80, weight }), { connections });

test.for<[string, Peer[], string]>([
  ['the fewest', [peerWith('a', 3), peerWith('b', 1), peerWith('c', 2)], 'b'],
  ['the fewest for its weight', [peerWith('a', 1, 1), peerWith('b', 4, 4)], 'b'],
  ['a heavier one first when nothing is under way', [peerWith('a', 0, 1), peerWith('b', 0, 2)], 'b'],
])('%s', ([, peers, expected]) => {
  expect(chooseLeastConnections(peers, 0).target.host).toBe(expected);
});

test('equals come in turn', () => {
  const peers = [peerWith('a', 0), peerWith('b', 0), peerWith('c', 9)];
  const chosen = [1, 2, 3, 4].map(() => chooseLeastConnections(peers, 0).target.host);
  expect(chosen).toEqual(['a', 'b', 'a', 'b']);
});
