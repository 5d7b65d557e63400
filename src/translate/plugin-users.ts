import type { Ingress } from '#resources/ingress.ts';
import { refOf, type Kind, type KubernetesObject } from '#resources/kind.ts';
import { kindNamed } from '#resources/all-kinds.ts';
import { refKey, type Ref } from '#resources/ref.ts';
import {
  consumersByPlugin,
  grantedReferences,
  groupsByPlugin,
  ingressesByPlugin,
  ingressesByService,
  servicesByPlugin,
  type Index,
} from '#store/indexes.ts';
import type { Fact, View } from '#store/view.ts';
import { foreignClass } from './ingress-class.ts';

/** What kinds of objects name a plugin in `konghq.com/plugins`, and are ours. */
export interface PluginUsers {
  readonly consumers: boolean;
  readonly groups: boolean;
  /** Ingresses, or Services that some Ingress of ours leads to. */
  readonly routes: boolean;
}

/** Whether a ReferenceGrant lets one object refer to another in the other's namespace. */
export function isGranted(from: Ref, to: Ref, view: View): boolean {
  if (to.namespace === from.namespace) return true;
  const [fromKind, toKind] = [kindNamed(from.kind), kindNamed(to.kind)];
  const who = `${fromKind.group}/${from.kind}/${from.namespace}`;
  const what = `${toKind.group}/${to.kind}/${to.namespace}`;
  const keys = [`${who}>${what}/`, `${who}>${what}/${to.name}`];
  return keys.some((key) => view.has(grantedReferences, key));
}

interface Asked {
  /** A KongClusterPlugin with a namespace: who names it there. */
  readonly plugin: Ref;
  readonly view: View;
}

/** Whether a name that an object states means this plugin, and not another of that name or none at all. */
function means(user: Ref, { plugin, view }: Asked): boolean {
  if (plugin.kind === 'KongPlugin') return isGranted(user, plugin, view);
  const nearer = { kind: 'KongPlugin', namespace: user.namespace, name: plugin.name };
  return view.stateOf(nearer) === 'absent';
}

function isNamedBy<T extends KubernetesObject>(
  index: Index<T>,
  asked: Asked,
  isOurs: (object: T, ref: Ref) => boolean,
): boolean {
  const { kind }: { kind: Kind<T> } = index;
  return asked.view.some(index, refKey(asked.plugin), (object) => {
    const user = refOf(kind, object);
    return isOurs(object, user) && means(user, asked);
  });
}

function users(plugin: Ref, view: View): PluginUsers {
  const asked = { plugin, view };
  const isOurs = (object: KubernetesObject): boolean => foreignClass(object, { view }, undefined) === undefined;
  const isOurIngress = (object: Ingress): boolean =>
    foreignClass(object, { view }, object.spec?.ingressClassName) === undefined;
  const isServed = (_: unknown, { namespace, name }: Ref): boolean =>
    view.some(ingressesByService, `${namespace}/${name}`, isOurIngress);
  return {
    consumers: isNamedBy(consumersByPlugin, asked, isOurs),
    groups: isNamedBy(groupsByPlugin, asked, isOurs),
    routes: isNamedBy(ingressesByPlugin, asked, isOurIngress) || isNamedBy(servicesByPlugin, asked, isServed),
  };
}

/**
 * Who names a plugin: what it runs for follows from all of them together (kong-facts 4.7). A fact, so that
 * the ten-thousandth consumer that names a plugin makes nobody else run again. Of a KongClusterPlugin it is asked
 * for each namespace, in the ref: see `attachmentFor`.
 */
export const pluginUsers: Fact<PluginUsers> = { name: 'plugin-users', compute: users };

/** How a plugin is attached, as one who names it sees it. */
export interface Attachment {
  /** The pairs that it runs for; absent: everybody on what it is attached to. */
  readonly narrowedTo?: 'consumers' | 'groups';
  /** Whether consumers name it: then it does not run for groups (kong-facts 4.7). */
  readonly isForConsumers: boolean;
}

/**
 * The pairs that a plugin runs for, when it is attached to callers and to routes. With consumers the groups do
 * not count (kong-facts 4.7). Of a KongClusterPlugin those of one namespace narrow nothing in another, as they do
 * in Kong: a tenant's consumer would switch it off for all others' routes.
 */
export function attachmentFor(user: Ref, plugin: Ref, view: View): Attachment {
  const seen = plugin.namespace === '' ? { ...plugin, namespace: user.namespace } : plugin;
  const { consumers, groups, routes } = view.fact(pluginUsers, seen);
  if (!routes || !(consumers || groups)) return { isForConsumers: consumers };
  return { narrowedTo: consumers ? 'consumers' : 'groups', isForConsumers: consumers };
}
