import { ApiError } from '#resources/api-error.ts';
import type { KubernetesApi } from '#source/kubernetes-api.ts';
import { eventsPath, nextSeries, type EventSeries, type KubernetesEvent } from './events.ts';

/** What the API server has of an event. */
interface StoredEvent {
  readonly metadata: { readonly resourceVersion: string };
  readonly series?: EventSeries | null;
}

const isThere = (error: unknown): boolean => error instanceof ApiError && error.reason === 'AlreadyExists';

/** An event to tell. */
export interface Told {
  readonly event: KubernetesEvent;
  /** Whether it happens again if it is there already; otherwise it is told only if nobody has told it. */
  readonly isRepeated: boolean;
}

interface Access {
  readonly api: KubernetesApi;
  /** Resolves when it is our turn for one more request. @throws NotLeading */
  turn(): Promise<void>;
}

/**
 * Tells an event; one that is there already is counted once more, or left as it is.
 *
 * @throws ApiError, NotLeading
 */
export async function writeEvent({ api, turn }: Access, { event, isRepeated }: Told): Promise<void> {
  const collection = eventsPath(event.metadata.namespace);
  await turn();
  try {
    await api.request({ method: 'POST', path: collection, body: event });
  } catch (error) {
    if (!isThere(error)) throw error;
    if (isRepeated) await countEvent({ api, turn }, event);
  }
}

/**
 * Counts an event once more. A patch that changes nothing is answered with the event as it is: so we need
 * no right to read everybody's Events.
 */
async function countEvent({ api, turn }: Access, { metadata }: KubernetesEvent): Promise<void> {
  const path = `${eventsPath(metadata.namespace)}/${encodeURIComponent(metadata.name)}`;
  const patch = async (body: object): Promise<StoredEvent> => {
    await turn();
    return api.request<StoredEvent>({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
  };
  const stored = await patch({});
  // With its version, so that of two who count at once none is lost.
  const { resourceVersion } = stored.metadata;
  await patch({ metadata: { resourceVersion }, series: nextSeries(stored.series, new Date()) });
}
