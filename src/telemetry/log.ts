import pino, { type Logger } from 'pino';
import { logOutput } from './log-output.ts';

export type { Logger };

/** How a process or thread logs. */
export interface LogSettings {
  /** trace, debug, info, warn, error or silent. */
  readonly level: string;
  /** JSON lines, or text for people. */
  readonly format: 'text' | 'json';
}

/**
 * A logger that writes to standard output, one line an event. Every thread makes its own: lines are
 * written whole. Objects are logged by ref, never by content; a key has no way in.
 */
export async function createLog(
  settings: LogSettings,
  bindings: Readonly<Record<string, unknown>> = {},
): Promise<Logger> {
  if (settings.format === 'json') return pino({ level: settings.level, base: bindings }, logOutput);
  // Loaded only where people look: it takes longer than the logger itself.
  const { default: pretty } = await import('pino-pretty');
  const stream = pretty({
    sync: true,
    ignore: 'pid,hostname',
    translateTime: 'HH:MM:ss.l',
    singleLine: true,
    destination: 1,
  });
  return pino({ level: settings.level, base: bindings }, stream);
}
