import { Command } from 'commander';
import { dirOption, serveOptions, type ServeOptions } from './options.ts';

/** `latchkey run`: serves until it is told to stop. */
export function runCommand(): Command {
  const command = new Command('run').description('serve a directory of Kubernetes YAML');
  for (const option of [dirOption(), ...serveOptions()]) command.addOption(option);
  return command.action(async (options: ServeOptions & { readonly dir: string }) => {
    const { serve, untilSignal } = await import('./serve.ts');
    const serving = await serve(options.dir, options);
    const { log, port } = serving.pipeline;
    log.info({ port, dir: options.dir, workers: options.workers }, 'serving');
    const signal = await untilSignal();
    log.info({ signal }, 'draining');
    await serving.stop();
    log.info('stopped');
  });
}
