import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

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
export function createLog(settings: LogSettings, bindings: Readonly<Record<string, unknown>> = {}): Logger {
  const stream =
    settings.format === 'text'
      ? pretty({
          sync: true,
          ignore: 'pid,hostname,room',
          translateTime: 'HH:MM:ss.l',
          singleLine: true,
          destination: 1,
        })
      : pino.destination({ fd: 1, sync: true });
  return pino({ level: settings.level, base: bindings }, stream);
}
