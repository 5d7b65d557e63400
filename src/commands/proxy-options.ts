import type { Option } from 'commander';
import type { ProxySettings } from '#gateway/proxy-settings.ts';
import { flag, trueOrFalse, wholeNumber } from './flag.ts';
import { requestOptions, requestSettingsOf, type RequestOptions } from './request-options.ts';

/** What the proxy can be told. */
export interface ProxyOptions extends RequestOptions {
  readonly clientHeaderTimeoutMs: number;
  readonly clientRequestTimeoutMs: number;
  readonly clientIdleTimeoutMs: number;
  readonly clientHeaderBytes: number;
  readonly metricsPerConsumer: boolean;
}

const hourMs = 3_600_000;

/** The flags of the proxy. */
export function proxyOptions(): Option[] {
  return [
    flag('--client-header-timeout-ms <ms>', "time that a client has for its request's head")
      .default(10_000)
      .argParser(wholeNumber({ min: 1, max: hourMs })),
    flag('--client-request-timeout-ms <ms>', 'time that a client has for its whole request; 0 for no limit')
      .default(300_000)
      .argParser(wholeNumber({ min: 0, max: 24 * hourMs })),
    // Longer than the 60 s of common load balancers, so that the one in front closes first.
    flag('--client-idle-timeout-ms <ms>', 'time after which a connection without a request is closed')
      .default(75_000)
      .argParser(wholeNumber({ min: 1, max: 24 * hourMs })),
    flag('--client-header-bytes <bytes>', "bytes that a request's head may have")
      .default(16 * 1024)
      .argParser(wholeNumber({ min: 1024, max: 1024 * 1024 })),
    flag('--metrics-per-consumer [boolean]', 'whether metrics of requests tell consumers apart')
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
  },
  metrics: { isPerConsumer: options.metricsPerConsumer },
  ...requestSettingsOf(options),
});
