import { InvalidArgumentError, type Option } from 'commander';
import type { ProxySettings } from '#gateway/proxy-settings.ts';
import { limitRanges } from '#table/limits-entry.ts';
import { parseSize } from '#translate/size.ts';
import { flag, trueOrFalse, wholeNumber } from './flag.ts';
import { requestOptions, requestSettingsOf, type RequestOptions } from './request-options.ts';

/** What the proxy can be told. */
export interface ProxyOptions extends RequestOptions {
  readonly clientHeaderTimeoutMs: number;
  readonly clientRequestTimeoutMs: number;
  readonly clientIdleTimeoutMs: number;
  readonly clientHeaderBytes: number;
  readonly clientMaxBodySize: number;
  readonly clientUriBytes: number;
  readonly clientHeaderCount: number;
  readonly maxConnections: number;
  readonly maxTunnels: number;
  readonly recheckTunnels: boolean;
  readonly metricsPerConsumer: boolean;
  readonly proxyAccessLog: 'off' | '/dev/stdout';
  readonly proxyAccessLogQuery: boolean;
  readonly credentialLastUsed: boolean;
  readonly upstreamKeepalivePoolSize: number;
  readonly upstreamKeepaliveMaxRequests: number;
  readonly upstreamKeepaliveIdleTimeout: number;
}

function size(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new InvalidArgumentError('expected a size such as 512k, 10m or 0');
  return bytes;
}

/** The flags of the proxy. */
export function proxyOptions(): Option[] {
  return [
    flag('--client-header-timeout-ms <ms>', "time that a client has for its request's head")
      .default(10_000)
      .argParser(wholeNumber(limitRanges.headersTimeoutMs)),
    flag('--client-request-timeout-ms <ms>', 'time that a client has for its whole request; 0 for no limit')
      .default(300_000)
      .argParser(wholeNumber(limitRanges.requestTimeoutMs)),
    // Longer than the 60 s of common load balancers, so that the one in front closes first.
    flag('--client-idle-timeout-ms <ms>', 'time after which a connection without a request is closed')
      .default(75_000)
      .argParser(wholeNumber(limitRanges.keepAliveTimeoutMs)),
    flag('--client-header-bytes <bytes>', "bytes that a request's head may have")
      .default(16 * 1024)
      .argParser(wholeNumber(limitRanges.headBytes)),
    flag('--client-max-body-size <size>', 'bytes that the body of a request may have, such as 10m; 0 for any number')
      .default(0)
      .argParser(size),
    flag('--client-uri-bytes <bytes>', "bytes that a request's target may have")
      .default(8 * 1024)
      .argParser(wholeNumber(limitRanges.uriBytes)),
    flag('--client-header-count <n>', "fields that a request's head may have")
      .default(256)
      .argParser(wholeNumber(limitRanges.headerCount)),
    flag('--max-connections <n>', 'client connections of one worker, on all its ports')
      .default(16_384)
      .argParser(wholeNumber(limitRanges.connections)),
    flag('--max-tunnels <n>', 'WebSockets of one worker, on all its ports')
      .default(8_192)
      .argParser(wholeNumber(limitRanges.tunnels)),
    flag('--recheck-tunnels [boolean]', 'whether WebSockets are closed whose key or route no longer lets them in')
      .default(true)
      .preset('true')
      .argParser(trueOrFalse),
    flag('--upstream-keepalive-pool-size <n>', 'idle connections to one endpoint that a worker keeps; of HTTP/2 all')
      .default(512)
      .argParser(wholeNumber({ min: 0, max: 100_000 })),
    flag('--upstream-keepalive-max-requests <n>', 'requests after which a connection to an endpoint is closed')
      .default(10_000)
      .argParser(wholeNumber({ min: 1, max: 1_000_000_000 })),
    flag('--upstream-keepalive-idle-timeout <seconds>', 'time after which an idle connection to an endpoint is closed')
      .default(60)
      .argParser(wholeNumber({ min: 1, max: 86_400 })),
    flag('--metrics-per-consumer [boolean]', 'whether metrics of requests tell consumers apart')
      .default(false)
      .preset('true')
      .argParser(trueOrFalse),
    flag('--credential-last-used [boolean]', 'whether to note in which minute each credential was last used')
      .default(false)
      .preset('true')
      .argParser(trueOrFalse),
    // Off, other than in Kong: it costs CPU for each request, and addresses of clients are personal data.
    flag('--proxy-access-log <where>', 'where a line of JSON for each request goes')
      .default('off')
      .choices(['off', '/dev/stdout']),
    flag('--proxy-access-log-query [boolean]', 'whether such a line has the query, without the values of keys')
      .default(false)
      .preset('true')
      .argParser(trueOrFalse),
    ...requestOptions(),
  ];
}

/** The settings that the flags come to. */
export const proxySettingsOf = (options: ProxyOptions): ProxySettings => ({
  limits: {
    headersTimeoutMs: options.clientHeaderTimeoutMs,
    requestTimeoutMs: options.clientRequestTimeoutMs,
    keepAliveTimeoutMs: options.clientIdleTimeoutMs,
    headBytes: options.clientHeaderBytes,
    bodyBytes: options.clientMaxBodySize,
    uriBytes: options.clientUriBytes,
    headerCount: options.clientHeaderCount,
    connections: options.maxConnections,
    tunnels: options.maxTunnels,
  },
  rechecksTunnels: options.recheckTunnels,
  ...(options.proxyAccessLog === 'off' ? {} : { accessLog: { withQuery: options.proxyAccessLogQuery } }),
  metrics: { isPerConsumer: options.metricsPerConsumer },
  notesCredentialUse: options.credentialLastUsed,
  pools: {
    size: options.upstreamKeepalivePoolSize,
    maxRequests: options.upstreamKeepaliveMaxRequests,
    idleTimeoutMs: options.upstreamKeepaliveIdleTimeout * 1_000,
  },
  ...requestSettingsOf(options),
});
