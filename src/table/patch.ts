import type { CertificateEntry, ServerNameEntry } from './certificate-entry.ts';
import type { LimitsEntry } from './limits-entry.ts';
import type { PluginEntry } from './plugin-entry.ts';
import type { RouteEntry } from './route-entry.ts';
import type { ServiceEntry } from './service-entry.ts';

/** What every worker has a copy of; credentials are in shared memory instead. */
export type WorkerEntry = RouteEntry | ServiceEntry | PluginEntry | CertificateEntry | ServerNameEntry | LimitsEntry;

/**
 * A numbered change of the table. A worker applies it between two requests, so that no request sees half
 * of it, and acknowledges the number.
 */
export interface TablePatch {
  readonly number: number;
  readonly put: readonly WorkerEntry[];
  /** Keys of entries that are gone. */
  readonly remove: readonly string[];
  /** The credential index moved to new memory (it grew, or the worker is new). */
  readonly credentialIndex?: SharedArrayBuffer;
}

/** Whether a patch brings or takes away something of a kind. */
export const touches = ({ put, remove }: TablePatch, kind: WorkerEntry['kind']): boolean =>
  put.some((entry) => entry.kind === kind) || remove.some((key) => key.startsWith(`${kind}:`));
