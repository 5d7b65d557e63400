import { pluginsAnnotation } from '#resources/annotations.ts';
import { kongClusterPlugin } from '#resources/kong-plugin.ts';
import type { KubernetesObject } from '#resources/kind.ts';
import { pluginReferences, type PluginReference } from '#resources/plugin-reference.ts';
import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import type { Effect, Problem } from '#resources/verdict.ts';
import { pluginSchemas, runsForAllCallers } from '#plugins/schemas.ts';
import type { View } from '#store/view.ts';
import { annotationField } from './annotations.ts';
import { foreignClass } from './ingress-class.ts';
import { pluginFact, pluginKey, type Ordering, type PluginFact } from './plugin-fact.ts';
import { attachmentFor, isGranted, type Attachment } from './plugin-users.ts';

/** An object that names plugins, and what becomes of it when one of them cannot be had. */
export interface Referrer {
  readonly ref: Ref;
  readonly object: KubernetesObject;
  readonly view: View;
  readonly effect: Effect;
}

/** A plugin that is attached to an object. */
export interface AttachedPlugin extends Partial<Attachment> {
  /** Key of a PluginEntry. One that the table lacks answers 503. */
  readonly key: string;
  /** Absent for a plugin that cannot be known: it stands alone and answers 503. */
  readonly type?: string;
  readonly ordering?: Ordering;
}

export interface AttachedPlugins {
  readonly plugins: readonly AttachedPlugin[];
  readonly problems: readonly Problem[];
}

const field = annotationField(pluginsAnnotation);

interface Resolved {
  readonly ref: Ref;
  readonly fact: PluginFact;
}

/** Whether a KongClusterPlugin is of our class; one of another class counts as absent (kong-facts 4.4). */
function isOurClusterPlugin(name: string, view: View): boolean {
  const object = view.get(kongClusterPlugin, '', name);
  return object === undefined || foreignClass(object, { view }, undefined) === undefined;
}

/** The KongPlugin of the namespace, else the KongClusterPlugin of that name if no namespace is stated. */
function resolve(reference: PluginReference & { readonly name: string }, { ref, view }: Referrer): Resolved {
  const { name, namespace = ref.namespace } = reference;
  const inNamespace = { kind: 'KongPlugin', namespace, name };
  const fact = view.fact(pluginFact, inNamespace);
  if (fact.state !== 'absent' || reference.namespace !== undefined) return { ref: inNamespace, fact };
  if (!isOurClusterPlugin(name, view)) return { ref: inNamespace, fact };
  const inCluster = { kind: 'KongClusterPlugin', namespace: '', name };
  const clusterFact = view.fact(pluginFact, inCluster);
  return clusterFact.state === 'absent' ? { ref: inNamespace, fact } : { ref: inCluster, fact: clusterFact };
}

const nameOf = ({ namespace, name }: Ref): string => `${namespace}/${name}`;

/** Why a plugin that an item names cannot be had; undefined when it can. */
function faultOf(
  { item, namespace }: PluginReference,
  { ref, fact }: Resolved,
): Omit<Problem, 'field' | 'effect'> | undefined {
  if (fact.state === 'usable') return undefined;
  if (fact.state === 'broken') {
    return { reason: 'PluginNotInForce', about: ref, message: `${formatRef(ref)} is not in force, see its own status` };
  }
  const inCluster = namespace === undefined ? ` and no KongClusterPlugin ${item}` : '';
  return { reason: 'PluginNotFound', about: ref, message: `there is no KongPlugin ${nameOf(ref)}${inCluster}` };
}

/** Key of no entry: whoever has it is answered 503. */
const unavailable = (item: string, { ref }: Referrer): AttachedPlugin => ({
  key: `plugin:unavailable/${refKey(ref)}/${item}`,
});

function attach(reference: PluginReference, referrer: Referrer, problems: Problem[]): AttachedPlugin {
  const { item, name } = reference;
  const refuse = ({ message, ...fault }: Omit<Problem, 'field' | 'effect'>): void => {
    problems.push({ ...fault, field, message: `${field}: ${message}`, effect: referrer.effect });
  };
  if (name === undefined) {
    refuse({ reason: 'InvalidAnnotation', message: `expected a name, or a namespace and a name as a:b, not ${item}` });
    return unavailable(item, referrer);
  }
  const found = resolve({ ...reference, name }, referrer);
  if (found.ref.namespace !== '' && !isGranted(referrer.ref, found.ref, referrer.view)) {
    const message = `no ReferenceGrant in namespace ${found.ref.namespace} lets ${formatRef(referrer.ref)} refer to KongPlugin ${found.ref.name}`;
    refuse({ reason: 'ReferenceNotGranted', about: found.ref, message });
    return unavailable(item, referrer);
  }
  const fault = faultOf(reference, found);
  if (fault !== undefined) refuse(fault);
  return attached(found, referrer);
}

function attached({ ref, fact }: Resolved, referrer: Referrer): AttachedPlugin {
  const key = pluginKey(ref);
  if (fact.state === 'absent' || fact.type === undefined) return { key };
  const rest = fact.state === 'usable' && fact.ordering !== undefined ? { ordering: fact.ordering } : {};
  // It runs for everybody, whoever names it: narrowed to some it would let all others pass.
  if (runsForAllCallers(pluginSchemas.get(fact.type))) return { key, type: fact.type, ...rest };
  return { key, type: fact.type, ...rest, ...attachmentFor(referrer.ref, ref, referrer.view) };
}

/**
 * The plugins that one object names. Of one type only the first is in force, except that those which run for
 * some callers alone may stand beside others.
 */
export function attachedPlugins(referrer: Referrer): AttachedPlugins {
  const problems: Problem[] = [];
  const first = new Map<string, string>();
  const plugins = pluginReferences(referrer.object).flatMap((reference) => {
    const plugin = attach(reference, referrer, problems);
    if (plugin.type === undefined || plugin.narrowedTo !== undefined) return [plugin];
    const earlier = first.get(plugin.type);
    if (earlier === undefined) first.set(plugin.type, reference.item);
    if (earlier === undefined) return [plugin];
    const message = `${field}: ${reference.item} is of the same type as ${earlier}, which is named first and in force`;
    problems.push({ reason: 'DuplicatePlugin', field, message, effect: 'field ignored' });
    return [];
  });
  return { plugins, problems };
}

/** The keys of plugins by whether they run on every route or on those alone that they are attached to as well. */
export function keysOf(plugins: readonly AttachedPlugin[]): {
  readonly everywhere: string[];
  readonly pairs: string[];
} {
  const everywhere: string[] = [];
  const pairs: string[] = [];
  for (const { key, narrowedTo } of plugins) (narrowedTo === undefined ? everywhere : pairs).push(key);
  return { everywhere, pairs };
}

/** The plugins that a caller, or a group of callers, names: none of them can be one that runs for all callers alike. */
export function callerPlugins(referrer: Referrer): AttachedPlugins {
  const { plugins, problems } = attachedPlugins(referrer);
  const refused: Problem[] = [];
  const allowed = plugins.map((plugin) => {
    if (plugin.type === undefined || !runsForAllCallers(pluginSchemas.get(plugin.type))) return plugin;
    const message = `${field}: ${plugin.type} runs for all callers alike, so that it cannot be attached to a ${referrer.ref.kind}`;
    refused.push({ reason: 'PluginNotAllowed', field, message, effect: referrer.effect });
    return unavailable(plugin.type, referrer);
  });
  return { plugins: allowed, problems: [...problems, ...refused] };
}
