/**
 * The picture as code: makes each stage, joins it to the next, starts and stops them in order.
 *
 *   source ──▶ seal ──▶ engine (store, translate) ──▶ table ──▶ pool (gateway workers)
 *                                  │ verdicts                     │ acknowledgements
 *                                  └────────────▶ reporter ◀──────┘
 *
 * A change that cannot be seen here is in the wrong place.
 */
import { randomBytes } from 'node:crypto';
import { createPool, reservePort } from '#gateway/pool.ts';
import type { ListenAddress } from '#gateway/messages.ts';
import { formatRef, refKey } from '#resources/ref.ts';
import type { Change, Origin, Source } from '#source/source.ts';
import { createReporter } from '#status/reporter.ts';
import { digestSecretBytes, makeDigest } from '#table/digest.ts';
import { createTable } from '#table/table.ts';
import { createMetrics } from '#telemetry/metrics.ts';
import { createLog, type LogSettings } from '#telemetry/log.ts';
import type { TranslateSettings } from '#translate/translation.ts';

export interface PipelineOptions {
  /** Called once the workers are starting, so that what it loads takes none of their time. */
  openSource(): Promise<Source>;
  readonly translate: TranslateSettings;
  readonly listen: ListenAddress;
  readonly workers: number;
  readonly log: LogSettings;
  readonly version: string;
}

/**
 * Starts everything and resolves when every worker accepts connections with the whole table.
 *
 * @throws what the source or the listener throws: no such directory, a port that is taken
 */
export async function startPipeline(options: PipelineOptions) {
  const log = await createLog(options.log);
  const metrics = createMetrics();
  const digestSecret = randomBytes(digestSecretBytes);
  const digest = makeDigest(digestSecret);
  const table = createTable();
  const reporter = createReporter(log);
  const origins = new Map<string, Origin>();
  const port = await reservePort(options.listen);
  const pool = createPool({
    workers: options.workers,
    settings: { listen: { host: options.listen.host, port }, digestSecret, log: options.log, version: options.version },
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

  const noteOrigin = (change: Change): void => {
    if (change.type === 'put' && change.origin !== undefined) origins.set(refKey(change.ref), change.origin);
    if (change.type === 'delete') origins.delete(refKey(change.ref));
  };

  const apply = (changes: readonly Change[]): void => {
    const startedAtMs = performance.now();
    for (const change of changes) noteOrigin(change);
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
  } catch (error) {
    await pool.stop(0);
    throw error;
  }

  return {
    port,
    log,
    metrics,
    digest,
    reporter,
    store: engine.store,
    source,
    originOf: (key: string) => origins.get(key),
    /** Whether every worker accepts connections. */
    isServing: () => pool.listening === options.workers,
    /** Resolves when everything delivered so far is in force on every worker. */
    settled: async () => pool.settled(),
    /** Stops watching, then serving: what is under way may take `graceMs`. */
    async stop(graceMs: number): Promise<void> {
      await source.stop();
      await pool.stop(graceMs);
    },
  };
}

export type Pipeline = Awaited<ReturnType<typeof startPipeline>>;
