import { Command } from 'commander';
import { meaningOptions, translateSettingsOf, type MeaningOptions } from './meaning-options.ts';

/** `latchkey check DIR`: what each object would come to, without serving anything. */
export function checkCommand(setExitCode: (code: number) => void): Command {
  const command = new Command('check')
    .description('translate a directory offline and print a verdict per object; exit 1 if anything is not in force')
    .argument('<dir>', 'directory of Kubernetes YAML')
    .option('--output <format>', 'text or json', 'text');
  for (const option of meaningOptions()) command.addOption(option);
  return command.action(async (dir: string, options: MeaningOptions & { readonly output: string }) => {
    const { checkDirectory } = await import('./check-directory.ts');
    const { printReport } = await import('./report.ts');
    const report = await checkDirectory(dir, translateSettingsOf(options));
    process.stdout.write(printReport(report, options.output));
    setExitCode(report.isAllInForce ? 0 : 1);
  });
}
