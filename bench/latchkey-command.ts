import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** The command that serves a directory on a port of 127.0.0.1, with nothing else listening. */
export function latchkeyCommand(options: { dir: string; port: number; workers: number }): readonly string[] {
  const { dir, port, workers } = options;
  const listening = [
    '--proxy-listen',
    `127.0.0.1:${port}`,
    '--https-listen',
    'off',
    '--admin-listen',
    'off',
    '--status-listen',
    'off',
  ];
  return [
    process.execPath,
    main,
    'run',
    '--dir',
    dir,
    '--workers',
    String(workers),
    ...listening,
    '--log-level',
    'warn',
  ];
}
