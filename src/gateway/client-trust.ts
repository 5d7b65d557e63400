import { BlockList, isIP } from 'node:net';
import type { TrustSettings } from './proxy-settings.ts';

/** IPv4 addresses reach a dual-stack listener as `::ffff:127.0.0.1`. */
export const plainAddress = (address: string): string =>
  address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;

/** An address as proxies write it: IPv6 with or without brackets, with or without a port; undefined if it is none. */
function readAddress(text: string): string | undefined {
  const bare = /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return isIP(bare) === 0 ? undefined : plainAddress(bare.toLowerCase());
}

function listOf(trustedIps: readonly string[]): BlockList {
  const list = new BlockList();
  for (const item of trustedIps) {
    const [address = '', bits] = item.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}

/** Peers that were asked for are few; a bound keeps them from filling memory. */
const knownLimit = 10_000;

/** Whom the proxies in front of the gateway speak for (kong-facts 2.3, nginx's ngx_http_realip_module). */
export interface ClientTrust {
  /** Lower-case name of the field that tells the client's address. */
  readonly header: string;
  /** Whether what a peer says of the client counts. */
  isTrusted(address: string): boolean;
  /**
   * The client's address, from the values of `header` that a trusted peer sent: the last one that is written
   * there, with `realIpRecursive` the last that is not itself trusted.
   */
  addressBehind(peer: string, values: readonly string[]): string;
}

/** Undefined where nobody is trusted, so that nothing needs to be asked. */
export function clientTrust({ trustedIps, realIpHeader, realIpRecursive }: TrustSettings): ClientTrust | undefined {
  if (trustedIps.length === 0) return undefined;
  const list = listOf(trustedIps);
  const known = new Map<string, boolean>();

  const isTrusted = (address: string): boolean => {
    const found = known.get(address);
    if (found !== undefined) return found;
    const family = isIP(address);
    const trusted = family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
    if (known.size < knownLimit) known.set(address, trusted);
    return trusted;
  };

  return {
    header: realIpHeader.toLowerCase(),
    isTrusted,

    addressBehind(peer, values) {
      let client = peer;
      const items = values.join(',').split(/[\t ,]+/);
      for (const item of items.filter((text) => text !== '').toReversed()) {
        const address = readAddress(item);
        if (address === undefined) break;
        client = address;
        if (!realIpRecursive || !isTrusted(address)) break;
      }
      return client;
    },
  };
}
