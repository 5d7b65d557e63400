import { weightNow, type Choose, type Peer } from './peer.ts';

/**
 * Every peer in turn, as often as its weight says and never in bursts: nginx's smooth weighted round-robin
 * (https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1). Each peer gains its weight,
 * the one with the most is chosen and loses what all have gained.
 */
export const chooseInTurn: Choose = (peers) => {
  let [best] = peers as readonly [Peer, ...Peer[]];
  let gained = 0;
  for (const peer of peers) {
    const weight = weightNow(peer);
    gained += weight;
    peer.current += weight;
    if (peer.current > best.current) best = peer;
  }
  best.current -= gained;
  return best;
};
