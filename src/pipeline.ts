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
import { createPool, reservePort } from '#gateway/pool.ts';
import type { ListenAddress } from '#gateway/messages.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import type { Verdict } from '#resources/verdict.ts';
import type { Change, Origin, Source } from '#source/source.ts';
import { createReporter } from '#status/reporter.ts';
import { digestSecretBytes, makeDigest } from '#table/digest.ts';
import { createTable } from '#table/table.ts';
import type { Metrics } from '#telemetry/metrics.ts';
import type { Logger, LogSettings } from '#telemetry/log.ts';
import type { TranslateSettings } from '#translate/translation.ts';

/** Tells people where their objects are what became of them: their status, Events. */
export interface StatusWriter {
  start(): void;
  /** Verdicts that are true by now, and the objects that have none any more. */
  report(verdicts: readonly Verdict[], forgotten: readonly Ref[]): void;
  /** Objects that were delivered, among them those whose status somebody changed. */
  observed(refs: readonly Ref[]): void;
  stop(): Promise<void>;
}

export interface PipelineOptions {
  /** Called once the workers are starting, so that what it loads takes none of their time. */
  openSource(): Promise<Source>;
  readonly translate: TranslateSettings;
  readonly listen: ListenAddress;
  readonly workers: number;
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
  const port = await reservePort(options.listen);
  const pool = createPool({
    workers: options.workers,
    settings: {
      listen: { host: options.listen.host, port },
      digestSecret,
      log: options.logSettings,
      version: options.version,
    },
    snapshot: () => table.snapshot(),
    log,
    onStart: ({ threadId }) => log.debug({ threadId }, 'a worker starts'),
    onRestart: () => metrics.workerRestarts.inc(),
  });
  // The threads load while the rest of this one does: that halves the time to the first request.
  const { createEngine } = await import('#translate/engine.ts');
  const { sealed, sealingWith } = await import('#translate/sealing.ts');
  const source = await options.openSource();
  const sealing = sealingWith(digest);
  const engine = createEngine(options.translate);
  const status = options.makeStatus?.((ref) => engine.store.find(ref)?.object);

  const apply = (changes: readonly Change[]): void => {
    const startedAtMs = performance.now();
    origins.note(changes);
    const output = engine.apply(changes.map((change) => sealed(change, sealing)));
    metrics.translations.inc(output.rootsRun);
    metrics.translationMs.observe(performance.now() - startedAtMs);
    for (const { ref, error } of output.failures) {
      metrics.failures.inc();
      log.error({ err: error, object: formatRef(ref) }, 'a translation failed because of a bug');
    }
    const patch = table.apply(output);
    if (patch !== undefined) pool.publish(patch);
    // Verdicts are told only once they are true: when every worker serves what they speak of.
    void pool.settled().then(
      () => {
        metrics.patchMs.observe(performance.now() - startedAtMs);
        reporter.report(output.verdicts, output.forgotten);
        status?.report(output.verdicts, output.forgotten);
        status?.observed(changes.map(({ ref }) => ref));
        metrics.brokenObjects.set(reporter.broken);
        metrics.tableEntries.set(table.sizes().entries);
        metrics.credentials.set(table.sizes().credentials);
      },
      () => undefined, // a worker that cannot listen: `open` rejects with the reason
    );
  };

  try {
    await source.start({ changes: apply, fileProblems: (problems) => reporter.reportFiles(problems) });
    await pool.open();
    await pool.settled();
    status?.start();
  } catch (error) {
    await Promise.all([source.stop(), status?.stop(), pool.stop(0)]);
    throw error;
  }

  return {
    port,
    log,
    digest,
    reporter,
    store: engine.store,
    source,
    originOf: origins.get,
    /** Whether every worker accepts connections. */
    isServing: () => pool.listening === options.workers,
    /** Resolves when everything delivered so far is in force on every worker. */
    settled: async () => pool.settled(),
    /** Stops watching, then serving: what is under way may take `graceMs`. */
    async stop(graceMs: number): Promise<void> {
      await status?.stop(); // first: another replica then leads at once
      await source.stop();
      await pool.stop(graceMs);
    },
  };
}

export type Pipeline = Awaited<ReturnType<typeof startPipeline>>;
