/**
 * The picture as code: makes each stage, joins it to the next, starts and stops them in order.
 *
 *   source ──▶ seal ──▶ engine (store, translate) ──▶ table ──▶ pool (gateway workers)
 *                                  │ verdicts                     │ acknowledgements
 *                                  └────────▶ reporter, status ◀──┘
 *
 * A change that cannot be seen here is in the wrong place.
 */
import { randomBytes } from 'node:crypto';
import { createPool, reservePort, type PoolOptions } from '#gateway/pool.ts';
import { createOutTargets } from '#gateway/out-targets.ts';
import type { ListenAddress } from '#gateway/messages.ts';
import type { ProxySettings } from '#gateway/proxy-settings.ts';
import { selfSigned } from '#gateway/self-signed.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { CredentialNames, CredentialUsed } from '#resources/last-used.ts';
import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import type { Verdict } from '#resources/verdict.ts';
import type { Change, Origin, Source } from '#source/source.ts';
import { createReporter } from '#status/reporter.ts';
import { createTimedVerdicts, type TimedVerdictsOptions } from '#status/timed-verdicts.ts';
import { certificatesOf, targetsOf } from '#table/inventory.ts';
import { digestSecretBytes, makeDigest } from '#table/digest.ts';
import { createLastUsed } from '#table/last-used.ts';
import type { TablePatch } from '#table/patch.ts';
import { createTable } from '#table/table.ts';
import type { Metrics } from '#telemetry/metrics.ts';
import { createRouteNames } from '#table/route-names.ts';
import type { Logger, LogSettings } from '#telemetry/log.ts';
import type { EngineOutput } from '#translate/engine.ts';
import type { TranslateSettings } from '#translate/translation.ts';
import { createWantedSecrets } from './wanted-secrets.ts';

/** Tells people where their objects are what became of them: their status, Events. */
export interface StatusWriter {
  start(): void;
  /** Verdicts that are true by now, and the objects that have none any more. */
  report(verdicts: readonly Verdict[], forgotten: readonly Ref[]): void;
  /** Objects that were delivered, among them those whose status somebody changed. */
  observed(refs: readonly Ref[]): void;
  /** Credentials that were used, later than was known. */
  used?(uses: readonly CredentialUsed[]): void;
  /** Credentials that are gone, or were made anew under their names. */
  gone?(credentials: readonly CredentialNames[]): void;
  stop(): Promise<void>;
}

export interface PipelineOptions {
  /** Called once the workers are starting, so that what it loads takes none of their time. */
  openSource(): Promise<Source>;
  readonly translate: TranslateSettings;
  readonly listen: ListenAddress;
  /** Where clients come in over TLS; absent: nowhere. */
  readonly httpsListen?: ListenAddress;
  readonly workers: number;
  /** A worker whose event loop does not turn for so long is ended and replaced; 0 or absent: never. */
  readonly workerHangTimeoutMs?: number;
  /** Whether another process may listen on the same ports, which it is about to leave to this one. */
  readonly sharesPorts?: boolean;
  readonly proxy: ProxySettings;
  /** Makes what writes status; `objectOf` gives an object as it was delivered last. Absent: only the log tells. */
  makeStatus?(objectOf: (ref: Ref) => KubernetesObject | undefined): StatusWriter;
  readonly log: Logger;
  readonly logSettings: LogSettings;
  readonly metrics: Metrics;
  readonly version: string;
}

/** Where objects were written, when that is in files. */
function createOrigins() {
  const origins = new Map<string, Origin>();
  return {
    get: (key: string): Origin | undefined => origins.get(key),
    note(changes: readonly Change[]): void {
      for (const change of changes) {
        if (change.type === 'put' && change.origin !== undefined) origins.set(refKey(change.ref), change.origin);
        if (change.type === 'delete') origins.delete(refKey(change.ref));
      }
    },
  };
}

/** Days that the certificate which is made at start is good for: longer than any process lives. */
const selfSignedDays = 3_650;

/** Where TLS is served, and the certificate that clients are shown where nobody gave one. */
function tlsSettings(listen: ListenAddress) {
  const nowMs = Date.now();
  const dayMs = 86_400_000;
  return {
    listen,
    fallback: selfSigned({
      commonName: 'latchkey default certificate',
      names: [],
      notBefore: new Date(nowMs - dayMs), // a client's clock may be behind
      notAfter: new Date(nowMs + selfSignedDays * dayMs),
    }),
  };
}

/** Says when the Secret of the default certificate is not there, which no object's verdict can tell. */
function createDefaultCertificateWatch({ translate: { defaultCertificate }, log }: PipelineOptions) {
  let isThere = true;
  return (find: (ref: Ref) => unknown): void => {
    if (defaultCertificate === undefined) return;
    const ref = { kind: 'Secret', ...defaultCertificate };
    const wasThere = isThere;
    isThere = find(ref) !== undefined;
    if (isThere === wasThere) return;
    const what = isThere ? 'is there' : 'does not exist; clients are shown a certificate that was made at start';
    log[isThere ? 'info' : 'warn']({ object: formatRef(ref) }, `--default-certificate: ${formatRef(ref)} ${what}`);
  };
}

/** What the pool asks of the rest. */
interface PoolSetting extends Pick<PoolOptions, 'snapshot' | 'onUses'> {
  readonly digestSecret: Buffer;
}

/** Where to listen: on two ports that nobody else has, unless they are shared. */
async function reservePorts({ listen, httpsListen, sharesPorts = false }: PipelineOptions) {
  await using probes = new AsyncDisposableStack();
  const withPort = async (address: ListenAddress): Promise<ListenAddress> =>
    sharesPorts && address.port !== 0 ? address : { ...address, port: await reservePort(address, probes) };
  return {
    listen: await withPort(listen),
    httpsListen: httpsListen === undefined ? undefined : await withPort(httpsListen),
  };
}

/** Starts the worker threads, on ports that nobody else has. */
async function startPool(options: PipelineOptions, { digestSecret, ...setting }: PoolSetting) {
  const { log, logSettings, metrics, version, workers, proxy } = options;
  const { listen, httpsListen } = await reservePorts(options);
  const tls = httpsListen === undefined ? undefined : tlsSettings(httpsListen);
  const settings = { listen, proxy, digestSecret, log: logSettings, version };
  const out = createOutTargets();
  const pool = createPool({
    workers,
    hangTimeoutMs: options.workerHangTimeoutMs ?? 0,
    settings: tls === undefined ? settings : { ...settings, tls },
    ...setting,
    log,
    onStart: ({ threadId }) => log.debug({ threadId }, 'a worker starts'),
    onReport(worker, report) {
      metrics.traffic.report(worker, report);
      out.note(worker, report.outTargets);
    },
    onRestart: () => metrics.workerRestarts.inc(),
    onHang: () => metrics.workerHangs.inc(),
  });
  return { pool, port: listen.port, httpsPort: httpsListen?.port, isOut: out.isOut };
}

interface Served {
  readonly entries: number;
  readonly credentials: number;
  readonly patch: TablePatch | undefined;
  /** Names of routes that are served no more. */
  readonly gone: ReadonlySet<string>;
}

function noteServed({ entries, credentials, patch, gone }: Served, metrics: Metrics): void {
  void metrics.traffic.forget(gone);
  if (patch !== undefined) metrics.tableVersion.set(patch.number);
  metrics.tableEntries.set(entries);
  metrics.credentials.set(credentials);
}

function noteTranslation(
  { rootsRun, failures }: Pick<EngineOutput, 'rootsRun' | 'failures'>,
  tookMs: number,
  { log, metrics }: Pick<PipelineOptions, 'log' | 'metrics'>,
): void {
  const success = String(failures.length === 0);
  metrics.translations.inc({ success });
  metrics.translationMs.observe({ success }, tookMs);
  metrics.translatedRoots.inc(rootsRun);
  for (const { ref, error } of failures) {
    metrics.failures.inc();
    log.error({ err: error, object: formatRef(ref) }, 'a translation failed because of a bug');
  }
}

/** Finds out when credentials were last used, where that is asked for. */
function createUseNotes({ proxy }: PipelineOptions, status: () => StatusWriter | undefined) {
  if (!proxy.notesCredentialUse) return undefined;
  return createLastUsed({ used: (uses) => status()?.used?.(uses), gone: (names) => status()?.gone?.(names) });
}

/** Those who tell people of verdicts. */
interface Tellers extends Pick<PipelineOptions, 'metrics'> {
  readonly reporter: ReturnType<typeof createReporter>;
  readonly status: StatusWriter | undefined;
}

const tellAll =
  ({ reporter, status, metrics }: Tellers): TimedVerdictsOptions['tell'] =>
  (changed, forgotten) => {
    reporter.report(changed, forgotten);
    status?.report(changed, forgotten);
    metrics.brokenObjects.set(reporter.counts.notInForce());
  };

interface Collected {
  readonly pool: Pick<ReturnType<typeof createPool>, 'collect'>;
  readonly reporter: Pick<ReturnType<typeof createReporter>, 'counts'>;
  readonly table: Pick<ReturnType<typeof createTable>, 'entries'>;
  readonly isOut: ReturnType<typeof createOutTargets>['isOut'];
}

async function collect({ pool, reporter, table, isOut }: Collected, { served }: Metrics): Promise<void> {
  await pool.collect();
  const { objects, expiringCredentials } = reporter.counts;
  served.set({
    objects,
    expiringCredentials: expiringCredentials(),
    certificates: certificatesOf(table.entries()),
    targets: targetsOf(table.entries(), isOut),
  });
}

/**
 * Starts everything and resolves when every worker accepts connections with the whole table.
 *
 * @throws what the source or the listener throws: no such directory, a port that is taken
 */
export async function startPipeline(options: PipelineOptions) {
  const { log, metrics } = options;
  const digestSecret = randomBytes(digestSecretBytes);
  const digest = makeDigest(digestSecret);
  const table = createTable();
  const reporter = createReporter(log);
  const origins = createOrigins();
  const routeNames = createRouteNames();
  const lastUsed = createUseNotes(options, () => status);
  const onUses = lastUsed?.take;
  const { pool, port, httpsPort, isOut } = await startPool(options, { digestSecret, snapshot: table.snapshot, onUses });
  // The threads load while the rest of this one does: that halves the time to the first request.
  const { createEngine } = await import('#translate/engine.ts');
  const { sealed, sealingWith } = await import('#translate/sealing.ts');
  const source = await options.openSource();
  const engine = createEngine(options.translate);
  const status = options.makeStatus?.((ref) => engine.store.find(ref)?.object);

  const lookForDefaultCertificate = createDefaultCertificateWatch(options);
  const verdicts = createTimedVerdicts({ tell: tellAll({ reporter, status, metrics }) });
  const wanted = createWantedSecrets({ store: engine.store, source, deliver: (change) => apply([change]), log });

  const apply = (changes: readonly Change[]): void => {
    const startedAtMs = performance.now();
    origins.note(changes);
    const output = wanted.take(changes, (wants) =>
      engine.apply(changes.map((change) => sealed(change, sealingWith(digest, wants)))),
    );
    noteTranslation(output, performance.now() - startedAtMs, options);
    const patch = table.apply(output);
    lastUsed?.change(output);
    const gone = routeNames.take(output);
    if (patch !== undefined) pool.publish(patch);
    // Verdicts are told only once they are true: when every worker serves what they speak of.
    void pool.settled().then(
      () => {
        metrics.patchMs.observe(performance.now() - startedAtMs);
        verdicts.report(output.verdicts, output.forgotten);
        lookForDefaultCertificate(engine.store.find);
        status?.observed(changes.map(({ ref }) => ref));
        noteServed({ ...table.sizes(), patch, gone }, metrics);
      },
      () => undefined, // a worker that cannot listen: `open` rejects with the reason
    );
  };

  const stopTimers = (): void => [verdicts, wanted].forEach(({ stop }) => stop());

  try {
    await source.start({ changes: apply, fileProblems: (problems) => reporter.reportFiles(problems) });
    await pool.open();
    await pool.settled();
    status?.start();
  } catch (error) {
    stopTimers();
    await Promise.all([source.stop(), status?.stop(), pool.stop(0)]);
    throw error;
  }

  return {
    port,
    /** Port of TLS; undefined where there is none. */
    httpsPort,
    log,
    digest,
    reporter,
    store: engine.store,
    source,
    originOf: origins.get,
    /** When credentials were last used; undefined where it is not noted. */
    lastUsed,
    /** How many workers accept connections. */
    serving: () => pool.listening,
    /** Resolves when the metrics have what the workers counted until now, and how things are. */
    collect: async () => collect({ pool, reporter, table, isOut }, metrics),
    /** Resolves when everything delivered so far is in force on every worker. */
    async settled(): Promise<void> {
      await wanted.settled();
      await pool.settled();
    },
    /** Serves on, and lets clients know that they should go elsewhere. */
    leave: pool.leave,
    /** Stops watching, then serving: what is under way may take `graceMs`. */
    async stop(graceMs: number): Promise<void> {
      stopTimers();
      if (lastUsed !== undefined) await pool.collect(); // what was used until now is still to be written
      await status?.stop(); // first: another replica then leads at once
      await source.stop();
      await pool.stop(graceMs);
    },
  };
}

export type Pipeline = Awaited<ReturnType<typeof startPipeline>>;
