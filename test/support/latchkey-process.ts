import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const deadlineMs = 60_000;
/** Less than requests under way may take: who waits for those that are none is told. */
const stopDeadlineMs = 20_000;

/** A whole Latchkey in a process of its own. */
export interface LatchkeyProcess {
  readonly child: ChildProcess;
  readonly proxyPort: number;
  readonly httpsPort: number;
  readonly adminPort: number;
  readonly statusPort: number;
  /** What it has printed so far. */
  output(): string;
  /** Resolves when the output holds this; rejects when the process ends first or the deadline passes. */
  printed(text: string): Promise<void>;
  /** Sends SIGTERM and gives the exit code. */
  stop(): Promise<number | null>;
}

/** Starts a command that serves and resolves when it does. */
export async function startLatchkey(
  args: readonly string[],
  nodeFlags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<LatchkeyProcess> {
  const started = await launchLatchkey(args, nodeFlags, env);
  await started.printed(args[0] === 'quickstart' ? 'Ctrl-C stops' : '"msg":"serving"');
  return started;
}

/** Starts a command that serves without waiting for it to do so; `wrapper` is a program that runs it, and its arguments. */
export async function launchLatchkey(
  args: readonly string[],
  nodeFlags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  wrapper: readonly string[] = [],
): Promise<LatchkeyProcess> {
  const [proxyPort, httpsPort] = [await freePort(), await freePort()];
  const [adminPort, statusPort] = [await freePort(), await freePort()];
  const listen = ['--proxy-listen', '--https-listen', '--admin-listen', '--status-listen'].flatMap((flag, i) => [
    flag,
    `127.0.0.1:${[proxyPort, httpsPort, adminPort, statusPort][i]}`,
  ]);
  const [program, ...before] = [...wrapper, process.execPath];
  const child = spawn(program, [...before, ...nodeFlags, main, ...args, ...listen], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  const printed = async (wanted: string): Promise<void> => {
    await until({
      what: `latchkey prints ${wanted}`,
      deadlineMs,
      subscribe: (check) => {
        for (const event of ['data', 'end']) for (const stream of [child.stdout, child.stderr]) stream.on(event, check);
        return () => {
          for (const event of ['data', 'end'])
            for (const stream of [child.stdout, child.stderr]) stream.off(event, check);
        };
      },
      holds: () => {
        if (text.includes(wanted)) return true;
        if (child.stdout.readableEnded) throw new Error(`latchkey ended without printing ${wanted}:\n${text}`);
        return false;
      },
    });
  };
  const stop = async (): Promise<number | null> => {
    if (child.exitCode !== null) return child.exitCode;
    child.kill('SIGTERM');
    await once(child, 'exit', { signal: AbortSignal.timeout(stopDeadlineMs) });
    return child.exitCode;
  };
  return { child, proxyPort, httpsPort, adminPort, statusPort, output: () => text, printed, stop };
}

/** Runs a command to its end. TLS is off unless a test says where: the usual port may be another test's. */
export async function runLatchkey(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LATCHKEY_HTTPS_LISTEN: 'off', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  await once(child, 'close', { signal: AbortSignal.timeout(deadlineMs) });
  return { code: child.exitCode, stdout, stderr };
}
