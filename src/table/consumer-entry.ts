import type { ConsumerIdentity } from './consumer-identity.ts';

/** A consumer that holds its username and custom id; its credentials are entries of their own. */
export interface ConsumerEntry {
  readonly kind: 'consumer';
  /** Unique in the table: `consumer:<namespace>/<name>`. */
  readonly key: string;
  readonly identity: ConsumerIdentity;
}
