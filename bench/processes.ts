import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';

const running = new Set<ChildProcess>();

function endAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

process.once('exit', endAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** Whether a program can be found. */
export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** The command with the processor it may use, where that can be said. */
function pinned(core: number | undefined, command: readonly string[]): readonly string[] {
  return core === undefined || !isInstalled('taskset') ? command : ['taskset', '-c', String(core), ...command];
}

/** Starts a process that ends with this one at the latest. */
export function start(
  command: readonly string[],
  options: { readonly core?: number; readonly cwd?: string } = {},
): ChildProcess {
  const [program = '', ...args] = pinned(options.core, command);
  const cwd = options.cwd === undefined ? {} : { cwd: options.cwd };
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], ...cwd });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Ends a process that `start` started. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await ended;
}

/** Runs a command to its end and gives what it printed. */
export async function output(command: readonly string[], core?: number): Promise<string> {
  const [program = '', ...args] = pinned(core, command);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  running.delete(child);
  return Buffer.concat(chunks).toString('utf8');
}

/** A port of loopback that nobody has now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

/** Asks a URL until it answers with this status. */
export async function untilStatus(url: string, status: number, headers: Record<string, string> = {}): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const answer = await fetch(url, { headers }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === status) return;
    if (Date.now() > deadline) throw new Error(`${url} answers ${answer?.status ?? 'nothing'}, not ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
