import { Command } from 'commander';
import { isInCluster } from '#source/in-cluster.ts';
import { clusterOptions, dirOption, serveOptions, type ClusterOptions, type ServeOptions } from './options.ts';

type RunOptions = ServeOptions & ClusterOptions & { readonly dir?: string };

/** `latchkey run`: serves until it is told to stop. */
export function runCommand(): Command {
  const command = new Command('run').description('serve a cluster, or a directory of Kubernetes YAML');
  for (const option of [dirOption(), ...clusterOptions(), ...serveOptions()]) command.addOption(option);
  return command.action(async (options: RunOptions) => {
    if (options.dir !== undefined && options.kubeconfig !== undefined) {
      command.error('--dir and --kubeconfig cannot be given together: serve one or the other');
    }
    if (options.dir === undefined && options.kubeconfig === undefined && !isInCluster()) {
      command.error('nothing to serve: name a directory with --dir, or a cluster with --kubeconfig');
    }
    const { createTelemetry, serve, untilSignal } = await import('./serve.ts');
    const telemetry = await createTelemetry(options);
    const { log } = telemetry;
    const setup =
      options.dir === undefined
        ? await (await import('./cluster-setup.ts')).clusterSetup(options, telemetry)
        : (await import('./source-setup.ts')).directorySetup(options.dir);
    const signalled = untilSignal();
    const serving = await Promise.race([serve(setup, options, telemetry), signalled]);
    if (typeof serving === 'string') process.exit(0); // it has not served anything yet
    const { port } = serving.pipeline;
    log.info({ port, dir: options.dir, workers: options.workers }, 'serving');
    const signal = await signalled;
    log.info({ signal }, 'draining');
    await serving.stop();
    log.info('stopped');
  });
}
