/**
 * The Kubernetes API as a source: follows every kind that Latchkey knows and delivers what changes.
 *
 *   API server ──▶ list-watch, one a kind ──▶ batch ──▶ changes          admin ──▶ write ──▶ API server
 *
 * It knows which kinds there are, not what they mean. Invariants: nothing is delivered before everything has
 * been read once, so that no route is served without the plugin that guards it; and what was delivered stays
 * in force when the API server goes away: unreachable is not gone.
 */
import { allKinds } from '#resources/all-kinds.ts';
import { collectionPath } from '#resources/api-path.ts';
import { refOf, type Kind, type KubernetesObject } from '#resources/kind.ts';
import { refKey, type Ref } from '#resources/ref.ts';
import { createFollowHealth, type SourceHealth } from './follow-health.ts';
import type { ObservedChange } from './known-objects.ts';
import type { KubernetesConnection } from './kubernetes-api.ts';
import { createListWatch, type FollowState, type ListWatch, type ListWatchTiming } from './list-watch.ts';
import { createObservations, type Observations } from './observations.ts';
import { slimObject } from './slim-object.ts';
import type { Change, Edit, Source, SourceListener } from './source.ts';

export interface KubernetesSourceOptions {
  readonly api: KubernetesConnection;
  /** The only namespaces that are followed, without the kinds that have none; all when empty. */
  readonly namespaces: readonly string[];
  /** Told when it goes otherwise with a kind than before. */
  onHealth(name: string, state: FollowState): void;
  /** What writes objects; absent where nothing may be written. */
  readonly writer?: (observed: Observations) => Pick<Source, 'write' | 'read'>;
  readonly timing?: Partial<ListWatchTiming>;
}

export interface KubernetesSource extends Source {
  health(): SourceHealth;
}

/**
 * Changes are gathered for this long, in milliseconds. Each kind has a connection of its own, so what one
 * `kubectl apply` wrote in one order may arrive in another; together it takes effect as one.
 */
const gatherMs = 3;

/** One kind, in one namespace or in all. */
interface Followed {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

function followedKinds(namespaces: readonly string[]): Followed[] {
  const nameOf = ({ plural, group }: Kind): string => (group === '' ? plural : `${plural}.${group}`);
  if (namespaces.length === 0) return allKinds.map((kind) => ({ kind, namespace: '', name: nameOf(kind) }));
  const namespaced = allKinds.filter(({ scope }) => scope === 'Namespaced');
  return namespaced.flatMap((kind) =>
    namespaces.map((namespace) => ({ kind, namespace, name: `${nameOf(kind)} in ${namespace}` })),
  );
}

const toChange = (kind: Kind, change: ObservedChange): Change => {
  const ref = refOf(kind, change.object as KubernetesObject);
  return change.type === 'delete' ? { type: 'delete', ref } : { type: 'put', ref, object: slimObject(change.object) };
};

/** A kind that a cluster need not have is followed too while it is not there: there is nothing to hear of. */
const asItMatters = ({ isOptional }: Kind, state: FollowState): FollowState =>
  isOptional === true && state.state === 'not installed' ? { state: 'following' } : state;

/** See the head of this file. */
export function kubernetesSource(options: KubernetesSourceOptions): KubernetesSource {
  const followed = followedKinds(options.namespaces);
  const health = createFollowHealth(followed.map(({ name }) => name));
  const listWatches = new Map<string, ListWatch>();
  const started = Promise.withResolvers<void>();
  let listener: SourceListener | undefined;
  let gathered: Change[] = [];
  let timer: NodeJS.Timeout | undefined;

  const deliver = (): void => {
    timer = undefined;
    const changes = gathered;
    gathered = [];
    if (changes.length > 0) listener?.changes(changes);
    observations.check();
  };

  const deliverSoon = (): void => {
    if (health.now().isComplete) timer ??= setTimeout(deliver, gatherMs);
  };

  const gather = (kind: Kind, changes: readonly ObservedChange[]): void => {
    for (const change of changes) gathered.push(toChange(kind, change));
    deliverSoon();
  };

  const noteState = (name: string, state: FollowState): void => {
    const wasComplete = health.now().isComplete;
    if (health.note(name, state)) options.onHealth(name, state);
    if (wasComplete || !health.now().isComplete) return;
    deliver();
    started.resolve();
  };

  const listWatchOf = (ref: Ref): ListWatch | undefined =>
    listWatches.get(`${ref.kind}/`) ?? listWatches.get(`${ref.kind}/${ref.namespace}`);

  const observations = createObservations({
    versionOf: (ref) => listWatchOf(ref)?.versionOf(ref.namespace, ref.name),
    isGathered: (ref) => gathered.some((change) => refKey(change.ref) === refKey(ref)),
  });
  const writer = options.writer?.(observations);

  return {
    async start(listening) {
      listener = listening;
      for (const { kind, namespace, name } of followed) {
        const listWatch = createListWatch({
          api: options.api,
          path: collectionPath(kind, namespace),
          ...(kind.fieldSelector === undefined ? {} : { selector: { fieldSelector: kind.fieldSelector } }),
          changes: (changes) => gather(kind, changes),
          state: (state) => noteState(name, asItMatters(kind, state)),
          ...(options.timing === undefined ? {} : { timing: options.timing }),
        });
        listWatches.set(`${kind.kind}/${namespace}`, listWatch);
        listWatch.start();
      }
      await started.promise;
    },

    async stop() {
      listener = undefined;
      clearTimeout(timer);
      started.resolve();
      await Promise.all([...listWatches.values()].map(async (listWatch) => listWatch.stop()));
      await options.api.close();
    },

    async write(edits: readonly Edit[]) {
      if (writer === undefined) throw new Error('this source does not write');
      await writer.write(edits);
    },

    async read(ref: Ref) {
      if (writer === undefined) throw new Error('this source does not read single objects');
      return writer.read(ref);
    },

    health: () => health.now(),
  };
}
