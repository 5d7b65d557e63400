import { createHash } from 'node:crypto';
import { reasons } from '#resources/reasons.ts';
import type { Ref } from '#resources/ref.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Problem } from '#resources/verdict.ts';
import { problemText, programmed } from './conditions.ts';
import { cutText } from './cut-text.ts';

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export interface KubernetesEvent {
  readonly apiVersion: 'events.k8s.io/v1';
  readonly kind: 'Event';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
  readonly action: string;
  readonly eventTime: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly regarding: object;
}

/** The part of an event that counts its repetitions. */
export interface EventSeries {
  readonly count: number;
  readonly lastObservedTime: string;
}

export interface EventContext {
  readonly ref: Ref;
  readonly object: KubernetesObject;
  /** Name of this pod or host. */
  readonly identity: string;
  readonly now: Date;
}

const reportingController = 'latchkey.dev/controller';
/** What we did when we found it: the one verb of the stage. */
const action = 'Translate';
const noteLimitBytes = 1024;
const identityLimit = 128;
const nameLimit = 253;
const cutMark = ' … (cut)';

/** `metav1.MicroTime` wants exactly six digits. */
export function microTime(now: Date): string {
  return now.toISOString().replace('Z', '000Z');
}

/** Path of all events of a namespace. */
export function eventsPath(namespace: string): string {
  return `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;
}

/**
 * The same trouble with the same object has the same name, whoever leads and however often it starts: the
 * API server then finds the repetition, and we count it instead of adding one more.
 */
function eventName(object: KubernetesObject, ...what: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([object.metadata.uid, ...what]));
  const suffix = `.${hash.digest('hex').slice(0, 16)}`;
  const start = object.metadata.name.slice(0, nameLimit - suffix.length).replace(/[^a-z0-9]+$/, '');
  return `${start}${suffix}`;
}

type EventText = Pick<KubernetesEvent, 'type' | 'reason' | 'note'>;

function eventOf({ ref, object, identity, now }: EventContext, name: string, text: EventText): KubernetesEvent {
  const { uid } = object.metadata;
  const namespaced = ref.namespace === '' ? {} : { namespace: ref.namespace };
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    // Events of objects without a namespace are in `default`, where kubectl describe looks for them.
    metadata: { name, namespace: ref.namespace === '' ? 'default' : ref.namespace },
    ...text,
    note: cutText(text.note, noteLimitBytes, cutMark),
    action,
    eventTime: microTime(now),
    reportingController,
    reportingInstance: identity.slice(0, identityLimit),
    regarding: {
      apiVersion: object.apiVersion,
      kind: ref.kind,
      name: ref.name,
      ...namespaced,
      ...(uid === undefined ? {} : { uid }),
    },
  };
}

/** Tells of one problem, on the object that has it. */
export function problemEvent(context: EventContext, problem: Problem): KubernetesEvent {
  const { reason, message } = problem;
  const note = `${problemText(problem)} ${reasons[reason].remedy}`;
  return eventOf(context, eventName(context.object, reason, message), { type: 'Warning', reason, note });
}

/** Tells that an object which was broken is in force again. */
export function inForceEvent(context: EventContext): KubernetesEvent {
  const note = 'In force again: requests meet it.';
  return eventOf(context, eventName(context.object, programmed), { type: 'Normal', reason: programmed, note });
}

/** The next count of an event that happens again. */
export function nextSeries(series: EventSeries | null | undefined, now: Date): EventSeries {
  return { count: (series?.count ?? 1) + 1, lastObservedTime: microTime(now) };
}
