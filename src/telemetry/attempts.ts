import type { Logger } from './log.ts';

/** A decision on a caller. There is no place for the key: neither it nor a part of it is ever logged. */
export interface Attempt {
  /** `granted`, `anonymous`, or why not, such as `unknown-key`. The client is not told which. */
  readonly outcome: string;
  readonly route: string;
  readonly plugin: string;
  readonly requestId: string;
  readonly client: string;
  readonly consumer?: string;
  readonly credential?: string;
}

/** Writes one line a decision, at debug. */
export function logAttempt(log: Logger, attempt: Attempt): void {
  log.debug({ attempt }, `authentication ${attempt.outcome}`);
}
