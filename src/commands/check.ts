import { Command } from 'commander';
import { ingressClassOption } from './options.ts';

/** `latchkey check DIR`: what each object would come to, without serving anything. */
export function checkCommand(setExitCode: (code: number) => void): Command {
  return new Command('check')
    .description('translate a directory offline and print a verdict per object; exit 1 if anything is not in force')
    .argument('<dir>', 'directory of Kubernetes YAML')
    .addOption(ingressClassOption())
    .option('--output <format>', 'text or json', 'text')
    .action(async (dir: string, options: { readonly ingressClass: string; readonly output: string }) => {
      const { checkDirectory } = await import('./check-directory.ts');
      const { printReport } = await import('./report.ts');
      const report = await checkDirectory(dir, options.ingressClass);
      process.stdout.write(printReport(report, options.output));
      setExitCode(report.isAllInForce ? 0 : 1);
    });
}
