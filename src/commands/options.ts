import { availableParallelism } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import type { ListenAddress } from '#gateway/messages.ts';

/** Every flag can also be set in the environment: `--proxy-listen` as `LATCHKEY_PROXY_LISTEN`. */
function flag(flags: string, description: string): Option {
  const name = /--([a-z-]+)/.exec(flags)?.[1] ?? '';
  return new Option(flags, description).env(`LATCHKEY_${name.replaceAll('-', '_').toUpperCase()}`);
}

function wholeNumber(bounds: { readonly min: number; readonly max: number }) {
  return (text: string): number => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= bounds.min && number <= bounds.max) return number;
    throw new InvalidArgumentError(`expected a whole number from ${bounds.min} to ${bounds.max}`);
  };
}

/** `127.0.0.1:8001`, `[::1]:8001`, `:8001` or `8001`; `off` where a listener may be left out. */
function address(text: string): ListenAddress {
  const parts = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):)?(\d+)$/.exec(text);
  const port = Number(parts?.[3] ?? Number.NaN);
  if (!(port <= 65_535)) throw new InvalidArgumentError('expected an address such as 127.0.0.1:8001');
  const host = parts?.[1] ?? parts?.[2] ?? '';
  return { host: host === '' ? '0.0.0.0' : host, port };
}

const addressOrOff = (text: string): ListenAddress | 'off' => (text === 'off' ? text : address(text));

/** What `run` and `quickstart` can be told. */
export interface ServeOptions {
  readonly workers: number;
  readonly proxyListen: ListenAddress;
  readonly adminListen: ListenAddress | 'off';
  readonly statusListen: ListenAddress | 'off';
  readonly ingressClass: string;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly logLevel: string;
  readonly logFormat: 'text' | 'json';
}

export const ingressClassOption = (): Option =>
  flag('--ingress-class <name>', 'ingress class whose objects are ours').default('kong');

/** The flags of everything that serves. */
export function serveOptions(): Option[] {
  return [
    flag('--workers <n>', 'threads that serve requests')
      .default(availableParallelism(), 'one for each core')
      .argParser(wholeNumber({ min: 1, max: 256 })),
    flag('--proxy-listen <address>', 'where requests to be proxied come in')
      .default(address('0.0.0.0:8000'), '0.0.0.0:8000')
      .argParser(address),
    flag('--admin-listen <address>', 'where the Admin API listens, or off')
      .default(address('127.0.0.1:8001'), '127.0.0.1:8001')
      .argParser(addressOrOff),
    flag('--status-listen <address>', 'where /healthz, /readyz and /metrics are, or off')
      .default(address('0.0.0.0:8100'), '0.0.0.0:8100')
      .argParser(addressOrOff),
    ingressClassOption(),
    flag('--drain-delay-ms <ms>', 'on SIGTERM: time between failing readiness and closing the listeners')
      .default(0)
      .argParser(wholeNumber({ min: 0, max: 600_000 })),
    flag('--drain-timeout-ms <ms>', 'on SIGTERM: longest time that requests under way may take')
      .default(30_000)
      .argParser(wholeNumber({ min: 0, max: 3_600_000 })),
    flag('--log-level <level>', 'what is logged at least')
      .default('info')
      .choices(['trace', 'debug', 'info', 'warn', 'error', 'silent']),
    flag('--log-format <format>', 'JSON lines, or text for people')
      .default(process.stdout.isTTY ? 'text' : 'json', 'text on a terminal, else json')
      .choices(['text', 'json']),
  ];
}

/** What `quickstart` can be told besides. */
export function quickstartOptions(): Option[] {
  return [
    flag('--fresh', 'start over with a new copy of the example'),
    flag('--dir <path>', 'where the copy is kept; .quickstart in the checkout when not stated'),
    flag('--echo-port <port>', 'port of the echo upstream')
      .default(9080)
      .argParser(wholeNumber({ min: 1, max: 65_535 })),
  ];
}

export const dirOption = (): Option =>
  flag('--dir <path>', 'directory of Kubernetes YAML to serve').makeOptionMandatory();
