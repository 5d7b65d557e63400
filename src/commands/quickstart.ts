import { Command } from 'commander';
import { quickstartOptions, serveOptions, type ServeOptions } from './options.ts';

interface QuickstartOptions extends ServeOptions {
  readonly fresh?: boolean;
  readonly dir?: string;
  readonly echoPort: number;
}

/** `latchkey quickstart`, which is what `npm start` runs: the tutorial's example with an upstream to try it on. */
export function quickstartCommand(): Command {
  const command = new Command('quickstart').description('serve a copy of examples/quickstart, with an echo upstream');
  for (const option of [...quickstartOptions(), ...serveOptions()]) command.addOption(option);
  return command.action(async (options: QuickstartOptions) => {
    const { serveQuickstart } = await import('./serve-quickstart.ts');
    await serveQuickstart(options, {
      isFresh: options.fresh === true,
      copy: options.dir,
      echoPort: options.echoPort,
    });
  });
}
