import type { ConsumerEntry } from './consumer-entry.ts';
import type { CredentialEntry } from './credential-entry.ts';
import type { WorkerEntry } from './patch.ts';

/** Everything that a translation can yield. */
export type TableEntry = WorkerEntry | CredentialEntry | ConsumerEntry;
