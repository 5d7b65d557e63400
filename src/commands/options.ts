import { availableParallelism } from 'node:os';
import { InvalidArgumentError, type Option } from 'commander';
import type { ListenAddress } from '#gateway/messages.ts';
import { flag, listOf, objectName, trueOrFalse, wholeNumber, type ObjectName } from './flag.ts';
import { meaningOptions, type MeaningOptions } from './meaning-options.ts';
import { proxyOptions, type ProxyOptions } from './proxy-options.ts';

/** `127.0.0.1:8001`, `[::1]:8001`, `:8001` or `8001`; `off` where a listener may be left out. */
function address(text: string): ListenAddress {
  const parts = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):)?(\d+)$/.exec(text);
  const port = Number(parts?.[3] ?? Number.NaN);
  if (!(port <= 65_535)) throw new InvalidArgumentError('expected an address such as 127.0.0.1:8001');
  const host = parts?.[1] ?? parts?.[2] ?? '';
  return { host: host === '' ? '0.0.0.0' : host, port };
}

/** Below a second a thread that is only busy would be taken for one that hangs. */
function hangTimeout(text: string): number {
  const ms = wholeNumber({ min: 0, max: 3_600_000 })(text);
  if (ms > 0 && ms < 1_000) throw new InvalidArgumentError('expected 0, or 1000 and more');
  return ms;
}

const addressOrOff = (text: string): ListenAddress | 'off' => (text === 'off' ? text : address(text));

/** What `run` and `quickstart` can be told. */
export interface ServeOptions extends ProxyOptions, MeaningOptions {
  readonly workers: number;
  readonly workerHangTimeoutMs: number;
  readonly proxyListen: ListenAddress;
  readonly httpsListen: ListenAddress | 'off';
  readonly adminListen: ListenAddress | 'off';
  /** Absent: as it fits where objects come from. */
  readonly adminWrites?: boolean;
  readonly statusListen: ListenAddress | 'off';
  /** Whether the ports of requests may have another listener; the others may not. */
  readonly reusePort: boolean;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly logLevel: string;
  readonly logFormat: 'text' | 'json';
}

/** The flags of everything that serves. */
export function serveOptions(): Option[] {
  return [
    flag('--workers <n>', 'threads that serve requests')
      .default(availableParallelism(), 'one for each core')
      .argParser(wholeNumber({ min: 1, max: 256 })),
    flag('--worker-hang-timeout-ms <ms>', 'time after which a thread that does not answer is replaced; 0 for never')
      .default(10_000)
      .argParser(hangTimeout),
    flag('--proxy-listen <address>', 'where requests to be proxied come in')
      .default(address('0.0.0.0:8000'), '0.0.0.0:8000')
      .argParser(address),
    flag('--https-listen <address>', 'where requests over TLS come in, or off')
      .default(address('0.0.0.0:8443'), '0.0.0.0:8443')
      .argParser(addressOrOff),
    flag('--admin-listen <address>', 'where the Admin API listens, or off')
      .default(address('127.0.0.1:8001'), '127.0.0.1:8001')
      .argParser(addressOrOff),
    flag('--admin-writes [boolean]', 'whether the Admin API may write objects')
      .default(undefined, 'true for a directory, false for a cluster')
      .preset('true')
      .argParser(trueOrFalse),
    flag('--status-listen <address>', 'where /healthz, /readyz and /metrics are, or off')
      .default(address('0.0.0.0:8100'), '0.0.0.0:8100')
      .argParser(addressOrOff),
    ...proxyOptions(),
    ...meaningOptions(),
    flag('--reuse-port [boolean]', 'share the ports with a Latchkey that listens on them and is about to leave')
      .default(false)
      .preset('true')
      .argParser(trueOrFalse),
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

/** What `run` can be told of a cluster. Names and meanings are those of Kong's controller (kong-facts 4.11). */
export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly watchNamespace: readonly string[];
  readonly publishService?: ObjectName;
  readonly publishStatusAddress: readonly string[];
  readonly updateStatus: boolean;
  readonly emitKubernetesEvents: boolean;
  readonly electionId?: string;
  readonly electionNamespace?: string;
  readonly apiserverQps: number;
  readonly apiserverBurst: number;
  readonly credentialLastUsedInterval: number;
}

/** The flags of `run` that are about a cluster. */
export function clusterOptions(): Option[] {
  return [
    flag('--kubeconfig <path>', 'kubeconfig of the cluster; in a pod that of its ServiceAccount when not stated'),
    flag('--watch-namespace <names>', 'the only namespaces to read, separated by commas; all when not stated')
      .default([], 'all')
      .argParser(listOf),
    flag('--publish-service <namespace/name>', 'Service whose addresses the Ingresses get as theirs').argParser(
      objectName,
    ),
    flag('--publish-status-address <addresses>', 'addresses that the Ingresses get instead, separated by commas')
      .default([], 'those of --publish-service')
      .argParser(listOf),
    flag('--update-status [boolean]', 'write the status of objects')
      .default(true)
      .preset('true')
      .argParser(trueOrFalse),
    flag('--emit-kubernetes-events [boolean]', 'write Events on objects that are not in force')
      .default(true)
      .preset('true')
      .argParser(trueOrFalse),
    flag('--election-id <name>', 'name of the Lease by which one replica leads').default(
      undefined,
      'latchkey-leader-<ingress class>',
    ),
    flag('--election-namespace <name>', 'namespace of that Lease').default(undefined, "the pod's own"),
    flag('--apiserver-qps <n>', 'status and Events written a second, at most')
      .default(100)
      .argParser(wholeNumber({ min: 1, max: 100_000 })),
    flag('--apiserver-burst <n>', 'how many of them may come at once')
      .default(300)
      .argParser(wholeNumber({ min: 1, max: 100_000 })),
    flag(
      '--credential-last-used-interval <minutes>',
      'with --credential-last-used: least time between two writes of the times of one consumer',
    )
      .default(60)
      .argParser(wholeNumber({ min: 1, max: 10_080 })),
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
  flag('--dir <path>', 'directory of Kubernetes YAML to serve, instead of a cluster');
