import { fileURLToPath } from 'node:url';
import { imageNodeFlags, imageTunables } from '../test/support/image-entrypoint.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const compileCache = fileURLToPath(new URL('../node_modules/.cache/latchkey', import.meta.url));

export interface ServedDirectory {
  readonly dir: string;
  readonly port: number;
  /** For TLS; nothing listens for it if absent. */
  readonly httpsPort?: number;
  readonly workers: number;
  /** Flags of `latchkey run` besides. */
  readonly flags?: readonly string[];
  /** Flags of Node besides those of the image. */
  readonly nodeFlags?: readonly string[];
}

/**
 * The command that serves a directory on ports of 127.0.0.1, with nothing else listening; under Node with the flags and
 * the cache of the image, so that speed and memory are those of one and the same product.
 */
export function latchkeyCommand(served: ServedDirectory): readonly string[] {
  const { dir, port, httpsPort, workers, flags = [], nodeFlags = [] } = served;
  const listening = [
    '--proxy-listen',
    `127.0.0.1:${port}`,
    '--https-listen',
    httpsPort === undefined ? 'off' : `127.0.0.1:${httpsPort}`,
    '--admin-listen',
    'off',
    '--status-listen',
    'off',
  ];
  const run = [
    'env',
    `NODE_COMPILE_CACHE=${compileCache}`,
    imageTunables(),
    process.execPath,
    ...imageNodeFlags(),
    ...nodeFlags,
    main,
    'run',
    '--dir',
    dir,
    '--workers',
    String(workers),
  ];
  return [...run, ...listening, '--log-level', 'warn', ...flags];
}
