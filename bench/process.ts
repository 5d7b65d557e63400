import { spawn, type ChildProcess } from 'node:child_process';

/** A process that a bench started, with whatever it started in turn. */
export interface Running {
  readonly pid: number;
  /** The end of what it printed, to explain a failure. */
  output(): string;
  /** What it printed on stdout. */
  stdout(): string;
  hasExited(): boolean;
  /** Resolves with the exit code; -1 if a signal ended it. */
  readonly exited: Promise<number>;
  /** Asks it to end and, after a grace period, makes it. */
  stop(): Promise<void>;
}

const stopGraceMs = 3_000;
const keptOutput = 4_000;
const alive = new Set<number>();

/**
 * Every process leads a group of its own, so that a signal to the group reaches npm's or nginx's children,
 * and none but those that we started.
 */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}

process.once('exit', () => {
  for (const pid of alive) signalGroup(pid, 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

async function waitForExit(child: ChildProcess, pid: number): Promise<number> {
  return new Promise((resolve) => {
    child.once('close', (code) => {
      alive.delete(pid);
      resolve(code ?? -1);
    });
  });
}

/** Starts a program; it ends with the bench at the latest, also if the bench fails or is interrupted. */
export function startProcess(command: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} cannot be started`);
  alive.add(pid);
  let stdout = '';
  let recent = '';
  const keep = (chunk: string): void => void (recent = (recent + chunk).slice(-keptOutput));
  child.stdout
    .setEncoding('utf8')
    .on('data', (chunk: string) => void (stdout += chunk))
    .on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  const exited = waitForExit(child, pid);
  const running: Running = {
    pid,
    exited,
    output: () => recent.trim(),
    stdout: () => stdout,
    hasExited: () => !alive.has(pid),
    async stop() {
      signalGroup(pid, 'SIGTERM');
      const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), stopGraceMs);
      await exited;
      clearTimeout(timer);
    },
  };
  return running;
}

/**
 * Runs a program to its end and gives what it printed on stdout.
 *
 * @throws Error with its output if it fails
 */
export async function runProcess(command: readonly string[]): Promise<string> {
  const running = startProcess(command);
  const code = await running.exited;
  if (code !== 0) throw new Error(`${command.join(' ')} failed with ${code}:\n${running.output()}`);
  return running.stdout();
}
