/**
 * Follows all objects of one kind (in one namespace, or in all): lists them in pages, then watches; resumes
 * where it was after every break, and compares everything when the API server no longer knows where that was.
 *
 *   list ──▶ watch ──▶ changes ──▶ (kubernetes.ts)
 *     ▲        │ 410 Gone
 *     └────────┘
 *
 * It knows neither the objects' meaning nor who listens. Invariant: whatever happens to connections and
 * servers, what it has delivered comes to equal what there is, deletions included.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '#resources/api-error.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { createBackoff } from './backoff.ts';
import { createKnownObjects, type ObservedChange } from './known-objects.ts';
import type { KubernetesConnection } from './kubernetes-api.ts';

/** How it stands with following the objects. */
export type FollowState =
  /** All that there was has been delivered, and changes come as they happen. */
  | { readonly state: 'following' }
  /** The API server does not know the kind: its CRD is not installed. */
  | { readonly state: 'not installed' }
  /** We may not; `message` is the API server's, which names verb and resource. */
  | { readonly state: 'forbidden'; readonly message: string }
  | { readonly state: 'interrupted'; readonly message: string };

export interface ListWatchOptions {
  readonly api: KubernetesConnection;
  readonly path: string;
  /** `labelSelector`, `fieldSelector`: the only objects that are followed. */
  readonly selector?: Readonly<Record<string, string>>;
  /** Changes that came together. */
  changes(changes: readonly ObservedChange[]): void;
  state(state: FollowState): void;
  readonly timing?: Partial<ListWatchTiming>;
}

/** All in milliseconds. */
export interface ListWatchTiming {
  /** How long the API server keeps a watch open; it sends a bookmark just before it ends it. */
  readonly watchMs: number;
  /** How long a watch may be silent beyond that before its connection counts as dead. */
  readonly graceMs: number;
  /** Longest wait between attempts. */
  readonly mostBackoffMs: number;
}

/**
 * Short watches: one that stalled without a word is noticed after 30 s at most, and a bookmark at the end
 * of each keeps the place where the next resumes. Nine kinds cost the API server a request every three seconds.
 */
const usualTiming: ListWatchTiming = { watchMs: 25_000, graceMs: 5000, mostBackoffMs: 5000 };
const firstBackoffMs = 50;
/** Objects a page: at 1 KB each, half a megabyte an answer. */
const pageSize = 500;
/** With growing pauses between them, as many take about a second. */
const enoughDenials = 5;

interface ListPage {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: KubernetesObject[] | null;
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubernetesObject;
}

/**
 * Whether the place of a watch, or of the rest of a list, is no longer known: too old (410), or, in an etcd that
 * was restored from a backup, too new (504 `Too large resource version`).
 */
const isExpired = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.status === 410 || error.reason === 'Expired' || /too large resource version/i.test(error.message));

/** An `ERROR` event carries a Status. */
function toError(object: unknown): ApiError {
  const status = object as { readonly code?: number; readonly reason?: string; readonly message?: string };
  return new ApiError(status.code ?? 500, status.reason ?? '', status.message ?? 'the watch failed');
}

/**
 * All objects, in pages, and the version at which the list was made.
 *
 * @throws ApiError, among them 410 when the rest of a list has expired
 */
async function listAll({ api, path, selector = {} }: ListWatchOptions, signal: AbortSignal) {
  const objects: KubernetesObject[] = [];
  let resourceVersion = '';
  let next: string | undefined;
  do {
    const query = { ...selector, limit: String(pageSize), ...(next === undefined ? {} : { continue: next }) };
    const page: ListPage = await api.request<ListPage>({ method: 'GET', path, query, signal });
    // Items of a list say neither their kind nor its version.
    const kind = page.kind.replace(/List$/, '');
    for (const item of page.items ?? []) objects.push({ ...item, apiVersion: page.apiVersion, kind });
    resourceVersion = page.metadata.resourceVersion;
    next = page.metadata.continue;
  } while (next !== undefined && next !== '');
  return { objects, resourceVersion };
}

interface WatchCall extends ListWatchTiming {
  readonly signal: AbortSignal;
  take(event: WatchEvent): void;
}

/** Takes the events of one watch; it ends after `watchMs`. @throws ApiError, or Error when the connection is dead */
async function watchFrom(version: string, { api, path, selector = {}, state }: ListWatchOptions, call: WatchCall) {
  const query = {
    ...selector,
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: String(Math.ceil(call.watchMs / 1000)),
  };
  await api.lines({
    path,
    query,
    silenceMs: call.watchMs + call.graceMs,
    signal: call.signal,
    onOpen: () => state({ state: 'following' }),
    onLine: (line) => {
      if (line !== '' && !call.signal.aborted) call.take(JSON.parse(line) as WatchEvent);
    },
  });
}

function stateAfter(error: unknown): FollowState {
  const message = error instanceof Error ? error.message : String(error);
  const isForbidden = error instanceof ApiError && error.status === 403;
  return { state: isForbidden ? 'forbidden' : 'interrupted', message };
}

function waitMs(error: unknown, backoffMs: number): number {
  const { retryAfterSeconds = 0 } = error instanceof ApiError ? error : {};
  return Math.max(backoffMs, retryAfterSeconds * 1000);
}

/** See the head of this file. */
export function createListWatch(options: ListWatchOptions) {
  const timing = { ...usualTiming, ...options.timing };
  const stopped = new AbortController();
  const { signal } = stopped;
  const known = createKnownObjects();
  /** Where the watch resumes; undefined when everything has to be listed. */
  let place: string | undefined;
  /** How often in a row the API server has said that there is no such kind. */
  let denials = 0;
  let running: Promise<void> | undefined;

  const deliver = (changes: readonly ObservedChange[]): void => {
    known.note(changes);
    if (changes.length > 0) options.changes(changes);
  };

  const list = async (): Promise<void> => {
    const { objects, resourceVersion } = await listAll(options, signal);
    if (signal.aborted) return;
    deliver(known.differences(objects));
    place = resourceVersion;
  };

  const take = ({ type, object }: WatchEvent): void => {
    if (type === 'ERROR') throw toError(object);
    place = object.metadata.resourceVersion ?? place;
    if (type === 'BOOKMARK') return;
    deliver(type === 'DELETED' ? known.changesToGone(object) : known.changesTo(object));
  };

  /**
   * Without its CRD there is no object of a kind. But an API server that is just starting may not know yet
   * which CRDs there are, and what is known is not to be thrown away for that: it has to say so several times.
   */
  const takeNotFound = (error: ApiError): void => {
    place = undefined;
    denials += 1;
    if (known.size > 0 && denials < enoughDenials) {
      options.state(stateAfter(error));
      return;
    }
    deliver(known.differences([]));
    options.state({ state: 'not installed' });
  };

  const takeError = (error: unknown): void => {
    if (error instanceof ApiError && error.status === 404) takeNotFound(error);
    else if (isExpired(error)) place = undefined;
    else options.state(stateAfter(error));
  };

  const follow = async (): Promise<void> => {
    const backoff = createBackoff({ firstMs: firstBackoffMs, mostMs: timing.mostBackoffMs });
    while (!signal.aborted) {
      try {
        if (place === undefined) await list();
        else await watchFrom(place, options, { ...timing, signal, take });
        denials = 0;
        backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        takeError(error);
        await sleep(waitMs(error, backoff.next()), undefined, { signal }).catch(() => undefined);
      }
    }
  };

  return {
    /** Version at which an object was delivered last; undefined when there is none. */
    versionOf: known.versionOf,
    /** Goes on until `stop`. */
    start(): void {
      running = follow();
    },
    async stop(): Promise<void> {
      stopped.abort();
      await running;
    },
  };
}

export type ListWatch = ReturnType<typeof createListWatch>;
