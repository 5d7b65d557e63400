import { Command, CommanderError } from 'commander';
import { checkCommand } from './check.ts';
import { keysCommand } from './keys.ts';
import { quickstartCommand } from './quickstart.ts';
import { runCommand } from './run.ts';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';

/** The whole command line; every subcommand is a file beside this one. */
export function commandLine(setExitCode: (code: number) => void): Command {
  const program = new Command('latchkey')
    .description('Kubernetes ingress controller and API gateway with key authentication')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`latchkey: ${text.replace(/^error: /, '').trim()}\n`) });
  for (const command of [runCommand(), checkCommand(setExitCode), quickstartCommand(), keysCommand()]) {
    program.addCommand(command.exitOverride().helpOption('--help', 'print this help').copyInheritedSettings(program));
  }
  return program;
}

/** Runs the command that the arguments name and gives the exit code: 2 for a wrong call, 1 for a failure. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  try {
    await commandLine((code) => (exitCode = code)).parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`latchkey: ${error.message}\n`);
    return 1;
  }
}
