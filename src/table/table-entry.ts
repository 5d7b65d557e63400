import type { CredentialEntry, CredentialName } from './credential-entry.ts';
import type { WorkerEntry } from './patch.ts';

/** Everything that a translation can yield. */
export type TableEntry = WorkerEntry | CredentialEntry;

/** An entry that is gone. */
export type GoneEntry = WorkerEntry | CredentialName;
