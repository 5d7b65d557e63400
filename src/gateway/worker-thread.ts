/**
 * A worker: a thread with its own listeners on the shared ports and its own copy of the table.
 *
 *   main thread ── patch N ──▶ served table ──▶ listeners ──▶ upstreams
 *        ▲────── applied N ──────┘
 *
 * It knows nothing of Kubernetes. Messages are handled between requests, so no request sees half a patch.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { makeDigest } from '#table/digest.ts';
import { touches, type TablePatch } from '#table/patch.ts';
import { restoreRedacted } from '#table/redacted-places.ts';
import { createLineWriter } from '#telemetry/line-writer.ts';
import { createLog } from '#telemetry/log.ts';
import { returnMemory } from './return-memory.ts';
import { createAccessLog } from './access-log.ts';
import { createSecretNames } from './secret-names.ts';
import { createBalancer } from './balance.ts';
import { clientTrust } from './client-trust.ts';
import { createHealthChecks } from './health-checks.ts';
import type { ServiceHealth } from './health.ts';
import { keepTickShape } from './kept-shapes.ts';
import { createListener } from './listener.ts';
import { limitsInForce } from './limits.ts';
import type { FromWorker, ListenAddress, ToWorker, WorkerStart } from './messages.ts';
import { createOccupancy } from './occupancy.ts';
import { beat } from './pulse.ts';
import { nameResolver } from './resolve.ts';
import { createServedTable } from './served-table.ts';
import { endInOrder } from './thread-end.ts';
import { createClientTls } from './tls.ts';
import { createTraffic } from './traffic.ts';
import { createUsedCredentials } from './used-credentials.ts';
import { upstreamClient } from './upstream-client.ts';
import type { HopInfo } from './upstream-headers.ts';

keepTickShape();
const settings = workerData as WorkerStart;
if (settings.hangTimeoutMs > 0) beat(settings.beats, settings.hangTimeoutMs);
const log = await createLog(settings.log);
const table = createServedTable();
const names = nameResolver();
const client = upstreamClient(names, settings.proxy.pools);
const balancer = createBalancer(performance, (service, target) =>
  tell({ type: 'suspect', suspect: { service, target } }),
);
/** One worker probes and tells the others, so that targets are not asked once for every worker. */
const checks = settings.isProber ? createHealthChecks(probed) : undefined;
const name = `latchkey/${settings.version}`;
const traffic = createTraffic(settings.proxy.metrics);
const uses = settings.proxy.notesCredentialUse ? createUsedCredentials() : undefined;
const secrets = createSecretNames(table);
const wanted = settings.proxy.accessLog;
const lines = wanted === undefined ? undefined : createLineWriter();
const accessLog =
  wanted === undefined || lines === undefined
    ? undefined
    : createAccessLog({ ...wanted, writer: lines, secrets, now: Date.now });
const loopDelay = monitorEventLoopDelay({ resolution: 20 });
loopDelay.enable();
const limits = limitsInForce(settings.proxy.limits, table, settings.proxy.connectionsByFiles);
const occupancy = createOccupancy(limits);
const parts = {
  limits,
  occupancy,
  traffic,
  accessLog,
  refused: traffic.refused,
  settings: settings.proxy,
  headers: settings.proxy.headers,
  paths: settings.proxy.paths,
  trust: clientTrust(settings.proxy.trust),
  table,
  digest: makeDigest(settings.digestSecret),
  uses,
  client,
  names,
  balancer,
  log,
  server: name,
};
const hopBy = (proto: 'http' | 'https', { port }: ListenAddress): HopInfo => ({
  proto,
  port: String(settings.proxy.portMaps.get(port) ?? port),
  via: `1.1 ${name}`,
  sendsRequestId: settings.proxy.headers.requestIdUpstream,
  viaHttp2: `2 ${name}`,
  viaHttp10: `1.0 ${name}`,
});

/** Each way of coming in, and where. */
const listeners = [
  {
    listener: createListener({ ...parts, hop: hopBy('http', settings.listen) }),
    address: settings.listen,
  },
  ...[settings.tls ?? []].flat().map(({ listen: address, fallback }) => ({
    listener: createListener({
      ...parts,
      hop: hopBy('https', address),
      tls: createClientTls({ table, fallback, log }),
    }),
    address,
  })),
];

const end = endInOrder(() => {
  for (const { listener } of listeners) listener.cut();
});

/** Since the first patch. */
let listening: Promise<void> | undefined;
/** When what loading has left behind is given back to the system. */
const settleMs = 1_000;

function tell(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function probed(health: ServiceHealth): void {
  log.info({ service: health.service, out: health.out, back: health.back }, 'the health of endpoints changed');
  balancer.probed(health);
  tell({ type: 'health', health });
}

/** A worker that dies takes with it what it has not told. */
const reportEveryMs = 5_000;
const reporting = setInterval(report, reportEveryMs).unref();

function report(): void {
  // Nanoseconds; before the first sample there is no mean.
  const { mean, max } = loopDelay;
  loopDelay.reset();
  const seconds = (nanoseconds: number): number => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);
  tell({
    type: 'report',
    report: {
      ...traffic.take(),
      connections: occupancy.connections,
      tunnels: occupancy.tunnels,
      upstream: client.stats(),
      outTargets: balancer.out(),
      droppedLines: lines?.takeDropped() ?? 0,
      loopDelay: { meanSeconds: seconds(mean), maxSeconds: seconds(max) },
    },
    uses: uses?.take() ?? [],
  });
}

async function listen(): Promise<void> {
  try {
    await Promise.all(listeners.map(async ({ listener, address }) => listener.listen(address)));
    tell({ type: 'listening' });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    tell({ type: 'failed', message, ...(code === undefined ? {} : { code }) });
  }
}

/** Lets go of connections and counters of endpoints that no service has any more. */
function letGo(): void {
  const services = [...table.services()];
  client.retain(services);
  balancer.retain(services);
  checks?.retain(services);
}

/** What others found out about targets. */
function receiveHealth(message: Extract<ToWorker, { type: 'health' | 'suspect' }>): void {
  if (message.type === 'suspect') checks?.putOut(message.suspect.service, [message.suspect.target]);
  else if (checks === undefined) balancer.probed(message.health);
  else checks.putOut(message.health.service, message.health.out);
}

/** Takes a patch in, and lets everybody know who goes by the table. */
function apply(patch: TablePatch): void {
  table.apply(patch);
  if (touches(patch, 'service')) letGo();
  limits.tableChanged();
  if (accessLog !== undefined) secrets.tableChanged(patch);
  for (const { listener } of listeners) listener.tableChanged();
}

async function receive(message: ToWorker): Promise<void> {
  if (message.type === 'patch') {
    restoreRedacted(message.patch, message.redacted);
    apply(message.patch);
    // The first patch is acknowledged once connections are accepted: until then nobody is served by it.
    if (listening === undefined) setTimeout(returnMemory, settleMs).unref();
    await (listening ??= listen());
    tell({ type: 'applied', number: message.patch.number });
    return;
  }
  if (message.type === 'report') return report();
  if (message.type === 'leave') {
    for (const { listener } of listeners) listener.leave();
    return;
  }
  if (message.type === 'end') {
    report();
    return end();
  }
  if (message.type !== 'drain') return receiveHealth(message);
  clearInterval(reporting);
  checks?.close();
  await listening; // what listens too late to be closed would never end
  await Promise.all(listeners.map(async ({ listener }) => listener.drain(message.graceMs)));
  await client.close();
  await lines?.close();
  report();
  tell({ type: 'drained' });
  parentPort?.close();
}

parentPort?.on('message', (message: ToWorker) => void receive(message));
