import { Command, Option } from 'commander';
import { serveOptions, type ServeOptions } from './options.ts';

interface QuickstartOptions extends ServeOptions {
  readonly fresh?: boolean;
}

/** `latchkey quickstart`, which is what `npm start` runs: the tutorial's example with an upstream to try it on. */
export function quickstartCommand(): Command {
  const command = new Command('quickstart').description('serve a copy of examples/quickstart, with an echo upstream');
  command.addOption(new Option('--fresh', 'start over with a new copy of the example').env('LATCHKEY_FRESH'));
  for (const option of serveOptions()) command.addOption(option);
  return command.action(async (options: QuickstartOptions) => {
    const { serveQuickstart } = await import('./serve-quickstart.ts');
    await serveQuickstart(options, { isFresh: options.fresh === true });
  });
}
