import { isIP } from 'node:net';
import { InvalidArgumentError, type Option } from 'commander';
import type { HeaderSettings, ProxySettings } from '#gateway/proxy-settings.ts';
import type { PathRules } from '#table/normalize-path.ts';
import { flag, listOf, trueOrFalse } from './flag.ts';

/** What the proxy can be told of how requests are read and what is added to them; the names are Kong's. */
export interface RequestOptions {
  readonly trustedIps: readonly string[];
  readonly realIpHeader: string;
  readonly realIpRecursive: boolean;
  readonly portMaps: ReadonlyMap<number, number>;
  readonly headers: readonly string[];
  readonly headersUpstream: readonly string[];
  readonly allowDebugHeader: boolean;
  readonly encodedSlash: PathRules['encodedSlash'];
  readonly oddPathCharacters: PathRules['oddCharacters'];
  readonly mergeSlashes: boolean;
}

function addressRange(text: string): string {
  const [address = '', bits, ...rest] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  const isRange = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (most > 0 && isRange && rest.length === 0) return text;
  throw new InvalidArgumentError(`${text} is neither an address nor a CIDR, such as 10.0.0.0/8 or fd00::/8`);
}

function fieldName(text: string): string {
  if (text === 'proxy_protocol') throw new InvalidArgumentError('the PROXY protocol is not supported');
  if (/^[A-Za-z0-9-]+$/.test(text)) return text;
  throw new InvalidArgumentError('expected the name of a header, such as X-Real-IP or X-Forwarded-For');
}

/** From the port that is listened on to the one that clients come to. */
function portMaps(text: string): ReadonlyMap<number, number> {
  return new Map(
    listOf(text).map((pair) => {
      const [outside, inside, ...rest] = pair.split(':').map((port) => (/^\d{1,5}$/.test(port) ? Number(port) : 0));
      const isPair = [outside, inside].every((port = 0) => port > 0 && port <= 65_535) && rest.length === 0;
      if (!isPair) throw new InvalidArgumentError(`${pair} are no two ports, such as 443:8443`);
      return [inside ?? 0, outside ?? 0];
    }),
  );
}

/** What stands for several headers, and what Kong has besides that only the Admin API sends. */
const tokens: Readonly<Record<string, readonly string[]>> = {
  server_tokens: ['server', 'via'],
  latency_tokens: ['x-kong-upstream-latency', 'x-kong-proxy-latency', 'x-kong-response-latency'],
  'x-kong-admin-latency': [],
  off: [],
};

const shownHeaders = new Set([...Object.values(tokens).flat(), 'x-kong-upstream-status', 'x-kong-request-id']);

/** A list of headers out of those that are there to be shown. */
function headersOf(known: ReadonlySet<string>) {
  return (text: string): readonly string[] => {
    const items = listOf(text);
    for (const item of items.map((name) => name.toLowerCase())) {
      if (known.has(item) || item === 'off' || (known === shownHeaders && Object.hasOwn(tokens, item))) continue;
      throw new InvalidArgumentError(`there is no header ${item} to show`);
    }
    return items;
  };
}

/** The flags of what is believed of a request, and of the headers that are added. */
export function requestOptions(): Option[] {
  return [
    flag('--trusted-ips <cidrs>', 'addresses and CIDRs, separated by commas, of proxies that say who the client is')
      .default([], 'none')
      .argParser((text) => listOf(text).map(addressRange)),
    flag('--real-ip-header <name>', "header in which a trusted proxy tells the client's address")
      .default('X-Real-IP')
      .argParser(fieldName),
    flag('--real-ip-recursive [boolean]', 'of several addresses in it, pass over those that are trusted themselves')
      .default(false)
      .preset('true')
      .argParser(trueOrFalse),
    flag(
      '--port-maps <pairs>',
      'ports that clients come to where another forwards them, such as 80:8000,443:8443 (outside:listened on)',
    )
      .default(new Map(), 'none')
      .argParser(portMaps),
    flag(
      '--headers <names>',
      'headers that answers carry: server_tokens, latency_tokens, X-Kong-Request-Id, X-Kong-Upstream-Status and each by its name; off for none',
    )
      .default(
        ['server_tokens', 'latency_tokens', 'X-Kong-Request-Id'],
        'server_tokens,latency_tokens,X-Kong-Request-Id',
      )
      .argParser(headersOf(shownHeaders)),
    flag('--headers-upstream <names>', 'headers that upstreams get: X-Kong-Request-Id; off for none')
      .default(['X-Kong-Request-Id'], 'X-Kong-Request-Id')
      .argParser(headersOf(new Set(['x-kong-request-id']))),
    flag('--allow-debug-header [boolean]', 'tell route and service to who sends the header Kong-Debug')
      .default(false)
      .preset('true')
      .argParser(trueOrFalse),
    flag('--encoded-slash <what>', '%2F in a path: stays as it is and separates nothing, is refused, or is a slash')
      .default('keep')
      .choices(['keep', 'refuse', 'decode']),
    flag('--odd-path-characters <what>', 'a backslash, %5C, %00 and a raw # in a path: refused, or sent on encoded')
      .default('refuse')
      .choices(['refuse', 'encode']),
    flag('--merge-slashes [boolean]', 'take several slashes in a path for one')
      .default(true)
      .preset('true')
      .argParser(trueOrFalse),
  ];
}

function headerSettings(options: RequestOptions): HeaderSettings {
  // Kong reads `off` only where it comes first.
  const names = options.headers.map((name) => name.toLowerCase());
  const shown = new Set(names[0] === 'off' ? [] : names.flatMap((name) => tokens[name] ?? name));
  const upstream = options.headersUpstream.map((name) => name.toLowerCase());
  return {
    server: shown.has('server'),
    via: shown.has('via'),
    upstreamLatency: shown.has('x-kong-upstream-latency'),
    proxyLatency: shown.has('x-kong-proxy-latency'),
    responseLatency: shown.has('x-kong-response-latency'),
    upstreamStatus: shown.has('x-kong-upstream-status'),
    requestId: shown.has('x-kong-request-id'),
    requestIdUpstream: upstream[0] !== 'off' && upstream.includes('x-kong-request-id'),
    debug: options.allowDebugHeader,
  };
}

/** The settings that the flags come to. */
export const requestSettingsOf = (
  options: RequestOptions,
): Pick<ProxySettings, 'trust' | 'portMaps' | 'headers' | 'paths'> => ({
  trust: {
    trustedIps: options.trustedIps,
    realIpHeader: options.realIpHeader,
    realIpRecursive: options.realIpRecursive,
  },
  portMaps: options.portMaps,
  headers: headerSettings(options),
  paths: {
    encodedSlash: options.encodedSlash,
    oddCharacters: options.oddPathCharacters,
    mergesSlashes: options.mergeSlashes,
  },
});
