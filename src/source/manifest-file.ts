import { isNode, type Document } from 'yaml';
import { allKinds, findKind } from '#resources/all-kinds.ts';
import { uidFromRef } from '#resources/ids.ts';
import { apiVersionOf, refOf, type Kind, type KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import { parseDocuments, plainValue } from './manifest-text.ts';
import type { FileProblem, Origin } from './source.ts';

/** An object as it stands in a file. */
export interface FoundObject {
  readonly ref: Ref;
  /** As it is delivered: with the namespace and uid that an API server would have added. */
  readonly object: KubernetesObject;
  /** As it was written. */
  readonly written: KubernetesObject;
  readonly origin: Required<Origin>;
  /** Which document it stands in, counted from 0, and where in it: [] or, in a List, ['items', 3]. */
  readonly document: number;
  readonly path: readonly (string | number)[];
}

/** A kind that Latchkey does not read, with where the first object of it stands in a file. */
export interface UnknownKind {
  readonly kind: string;
  readonly origin: Required<Origin>;
}

/** What a file holds. Nothing in it keeps the file's text alive. */
export interface Manifest {
  readonly objects: readonly FoundObject[];
  readonly problems: readonly FileProblem[];
  readonly unknownKinds: readonly UnknownKind[];
}

type Place = Pick<FoundObject, 'origin' | 'document' | 'path'>;

interface Collected {
  readonly objects: FoundObject[];
  readonly problems: FileProblem[];
  readonly unknownKinds: UnknownKind[];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A name that the API server would take in a path: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const nameForm = /^(?!\.{1,2}$)[^/%]+$/;

/** As the API server has it, an empty name is none. */
const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === '';

function stringFault(fields: Record<string, unknown>, field: string, shown = field): string | undefined {
  if (isAbsent(fields[field])) return `${shown}: required field missing`;
  return typeof fields[field] === 'string' ? undefined : `${shown}: expected a string`;
}

function metadataFault(metadata: unknown): string | undefined {
  if (isAbsent(metadata)) return 'metadata: required field missing';
  if (!isRecord(metadata)) return 'metadata: expected an object';
  const fault = stringFault(metadata, 'name', 'metadata.name');
  if (fault !== undefined) return fault;
  const { name, namespace } = metadata;
  if (!nameForm.test(String(name))) return 'metadata.name: may not be . or .. or hold / or %';
  const isNamespace = isAbsent(namespace) || (typeof namespace === 'string' && nameForm.test(namespace));
  return isNamespace ? undefined : 'metadata.namespace: expected a name';
}

/** The first thing without which an object cannot even be named; undefined when it can. */
function namingFault(value: Record<string, unknown>): string | undefined {
  return stringFault(value, 'apiVersion') ?? stringFault(value, 'kind') ?? metadataFault(value['metadata']);
}

/** Adds what an API server would: the namespace `default`, and a uid. */
function complete(kind: Kind, written: KubernetesObject): Pick<FoundObject, 'ref' | 'object' | 'written'> {
  // An empty namespace is none, as kubectl has it.
  const { namespace, ...others } = written.metadata;
  const metadata = kind.scope === 'Namespaced' ? { ...others, namespace: namespace || 'default' } : others;
  const ref = refOf(kind, { ...written, metadata });
  // A field that is stated as null is not there, as the API server has it: `config:` with nothing behind it.
  const stated = Object.fromEntries(Object.entries(written).filter(([, value]) => value !== null));
  const object = { ...stated, metadata: { ...metadata, uid: metadata.uid ?? uidFromRef(ref) } } as KubernetesObject;
  return { ref, written, object };
}

/** A group that could hold an object of this kind, misspelt or of former days: others have a Service, too. */
function isOurGroup(group: string): boolean {
  return !group.includes('.') || /(?:^|\.)(?:k8s\.io|konghq\.com)$/.test(group);
}

function kindFault(object: KubernetesObject): string | undefined {
  const group = object.apiVersion.split('/').slice(0, -1).join('/');
  const known = allKinds.find(({ kind }) => kind === object.kind);
  if (known === undefined || !(group === known.group || isOurGroup(group))) return undefined;
  return `apiVersion: ${object.apiVersion} is not served, use ${apiVersionOf(known)}`;
}

function collectObject(value: unknown, place: Place, collected: Collected): void {
  if (!isRecord(value)) {
    const message = 'expected a Kubernetes object: a mapping with apiVersion, kind and metadata';
    collected.problems.push({ ...place.origin, message, isError: true });
    return;
  }
  const kind = findKind(value as KubernetesObject);
  const fault = namingFault(value) ?? (kind === undefined ? kindFault(value as KubernetesObject) : undefined);
  if (fault !== undefined) {
    const message = typeof value['kind'] === 'string' ? `${value['kind']}: ${fault}` : fault;
    collected.problems.push({ ...place.origin, message, isError: true });
  } else if (kind === undefined) {
    const name = `${String(value['apiVersion'])} ${String(value['kind'])}`;
    if (!collected.unknownKinds.some((unknown) => unknown.kind === name))
      collected.unknownKinds.push({ kind: name, origin: place.origin });
  } else {
    collected.objects.push({ ...place, ...complete(kind, value as KubernetesObject) });
  }
}

/** `kind: List`, or the list of one kind that an API server gives, whose items may leave out what it says. */
function isList(value: unknown): value is Record<string, unknown> & { kind: string; items: unknown[] } {
  if (!isRecord(value) || typeof value['kind'] !== 'string') return false;
  return value['kind'].endsWith('List') && Array.isArray(value['items']);
}

function itemOf(list: { readonly apiVersion?: unknown; readonly kind: string }, item: unknown): unknown {
  if (list.kind === 'List' || !isRecord(item)) return item;
  return { apiVersion: list.apiVersion, kind: list.kind.replace(/List$/, ''), ...item };
}

type OriginAt = (path: Place['path']) => Required<Origin>;

function collect(value: unknown, place: Place, originAt: OriginAt, collected: Collected): void {
  if (!isList(value)) return collectObject(value, place, collected);
  for (const [i, item] of value.items.entries()) {
    const path = [...place.path, 'items', i];
    collect(itemOf(value, item), { ...place, path, origin: originAt(path) }, originAt, collected);
  }
}

function offsetOf(document: Document.Parsed, path: Place['path']): number {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return (isNode(node) ? node.range?.[0] : undefined) ?? document.contents?.range[0] ?? document.range[0];
}

/**
 * Reads the objects of a file. What is wrong with one object costs no other.
 *
 * @throws ManifestSyntaxError if the text is neither YAML nor JSON
 */
export function readManifest(file: string, text: string): Manifest {
  const { documents, placeOf } = parseDocuments(file, text);
  const collected: Collected = { objects: [], problems: [], unknownKinds: [] };
  for (const [index, document] of documents.entries()) {
    if (document.contents === null) continue;
    const originAt: OriginAt = (path) => ({ file, ...placeOf(offsetOf(document, path)) });
    const place = { origin: originAt([]), document: index, path: [] };
    const value = plainValue(file, document, placeOf);
    if (value !== null) collect(value, place, originAt, collected);
  }
  return collected;
}
