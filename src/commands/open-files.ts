import { readFileSync } from 'node:fs';
import type { Logger } from '#telemetry/log.ts';
import type { ServeOptions } from './options.ts';

/** What a process needs beside connections: watches, probes, logs, event loops, and who asks for metrics. */
const reservedFiles = 256;

/** Files and sockets that this process may have open at a time; undefined where the system does not tell. */
function mostOpenFiles(): number | undefined {
  try {
    const text = readFileSync('/proc/self/limits', 'utf8');
    const most = Number(/^Max open files +(\d+)/m.exec(text)?.[1] ?? Number.NaN);
    return Number.isNaN(most) ? undefined : most; // it may be `unlimited`
  } catch {
    return undefined;
  }
}

/**
 * How many client connections a worker has files for, one more for each to an endpoint; undefined where that is no
 * matter. Without files nobody gets in, neither the probes nor the API server's changes, and nobody is told: the system
 * has connections closed without a word.
 */
export function connectionsByFiles({ workers, maxConnections }: ServeOptions, log: Logger): number | undefined {
  const openFiles = mostOpenFiles();
  if (openFiles === undefined) return undefined;
  const connections = Math.max(1, Math.floor((openFiles - reservedFiles) / 2 / workers));
  if (connections < maxConnections) {
    log.info(
      { openFiles, workers, connections },
      'a worker takes fewer connections than --max-connections says: see ulimit -n',
    );
  }
  return connections;
}
