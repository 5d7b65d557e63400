import type { KubernetesObject } from '#resources/kind.ts';
import { flatText, type Ref } from '#resources/ref.ts';

/**
 * The age of an object as text that sorts: creation time, then namespace/name. The older has what two
 * want. An object without a creation time (a file that nobody stamped) counts as older than any with one.
 */
export function rankOf(ref: Ref, object: KubernetesObject): string {
  return flatText(creationTime(object) ?? '', '|', ref.namespace, '/', ref.name);
}

/** `creationTimestamp` in UTC with milliseconds, so that text order is time order; undefined if unreadable. */
function creationTime(object: KubernetesObject): string | undefined {
  const milliseconds = creationMs(object);
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}

/** `creationTimestamp` in milliseconds since the epoch; undefined if there is none that can be read. */
function creationMs(object: KubernetesObject): number | undefined {
  const text = object.metadata.creationTimestamp;
  const milliseconds = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
