import {
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node as YamlNode,
  isMap,
  isSeq,
  type Pair,
  isScalar,
  type Tags,
} from 'yaml';
import { allKinds, findKind } from '#resources/all-kinds.ts';
import { uidFromRef } from '#resources/ids.ts';
import { apiVersionOf, refOf, type Kind, type KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import type { FileProblem, Origin } from './source.ts';

/** An object as it stands in a file. */
export interface FoundObject {
  readonly ref: Ref;
  readonly object: KubernetesObject;
  readonly origin: Required<Origin>;
  /** Which document it stands in, and its place in `items` if that is a List. */
  readonly document: number;
  readonly item: number | undefined;
  /** Whether the uid, the namespace were not written but added here. */
  readonly isUidAdded: boolean;
  readonly isNamespaceAdded: boolean;
}

/** What a file holds. */
export interface Manifest {
  readonly objects: readonly FoundObject[];
  readonly problems: readonly FileProblem[];
  /** Kinds that Latchkey does not read, with where the first of each stands. */
  readonly unknownKinds: ReadonlyMap<string, Origin>;
}

/** The text is not YAML or JSON; says where. */
export class ManifestSyntaxError extends Error {
  readonly problem: FileProblem;
  constructor(problem: FileProblem) {
    super(`${problem.file}:${problem.line}:${problem.column ?? 1}: ${problem.message}`);
    this.problem = problem;
  }
}

/**
 * YAML as kubectl reads it: version 1.1 (`yes` is a boolean, `010` is 8), but without its times and its
 * numbers in base 60, which stay text there too.
 */
export const yamlOptions = {
  version: '1.1',
  merge: true,
  customTags: (tags: Tags): Tags =>
    tags.filter(
      (tag) => typeof tag === 'string' || (tag.tag !== 'tag:yaml.org,2002:timestamp' && tag.format !== 'TIME'),
    ),
} as const;

/** More aliases than any manifest has; the rest of a file that nests them to explode is refused. */
const maxAliasCount = 100;

/** The documents of a text, which may be JSON. @throws ManifestSyntaxError */
export function parseDocuments(file: string, text: string): { documents: Document.Parsed[]; lines: LineCounter } {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { ...yamlOptions, lineCounter: lines, prettyErrors: false });
  const documents = Array.isArray(parsed) ? (parsed as Document.Parsed[]) : [];
  const error = documents.flatMap((document) => document.errors)[0];
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new ManifestSyntaxError({ file, line: line || 1, column: col || 1, message: error.message, isError: true });
  }
  return { documents, lines };
}

interface Place {
  readonly origin: Required<Origin>;
  readonly document: number;
  readonly item: number | undefined;
}

interface Collected {
  readonly objects: FoundObject[];
  readonly problems: FileProblem[];
  readonly unknownKinds: Map<string, Origin>;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The first thing without which an object cannot even be named; undefined when it can. */
function namingFault(value: Record<string, unknown>): string | undefined {
  for (const field of ['apiVersion', 'kind']) {
    if (typeof value[field] !== 'string' || value[field] === '') return `${field}: required field missing`;
  }
  const { metadata } = value;
  if (!isRecord(metadata)) return 'metadata: required field missing';
  if (metadata['name'] === undefined) return 'metadata.name: required field missing';
  if (typeof metadata['name'] !== 'string' || metadata['name'] === '') return 'metadata.name: expected a name';
  const { namespace } = metadata;
  if (namespace !== undefined && namespace !== null && typeof namespace !== 'string')
    return 'metadata.namespace: expected a name';
  return undefined;
}

type Completed = Pick<FoundObject, 'ref' | 'object' | 'isUidAdded' | 'isNamespaceAdded'>;

/** Adds what an API server would: the namespace `default`, and a uid. */
function complete(kind: Kind, object: KubernetesObject): Completed {
  const ref = refOf(kind, object);
  const namespace = kind.scope === 'Cluster' ? {} : { namespace: ref.namespace };
  const metadata = { ...object.metadata, ...namespace, uid: object.metadata.uid ?? uidFromRef(ref) };
  const isNamespaceAdded = kind.scope === 'Namespaced' && object.metadata.namespace === undefined;
  return { ref, object: { ...object, metadata }, isUidAdded: object.metadata.uid === undefined, isNamespaceAdded };
}

function collectObject(value: unknown, place: Place, collected: Collected): void {
  const problem = (message: string): void => void collected.problems.push({ ...place.origin, message, isError: true });
  if (!isRecord(value)) return problem('expected a Kubernetes object, with apiVersion, kind and metadata');
  const fault = namingFault(value);
  if (fault !== undefined) return problem(`${typeof value['kind'] === 'string' ? `${value['kind']}: ` : ''}${fault}`);
  const object = value as KubernetesObject;
  const kind = findKind(object);
  if (kind !== undefined) return void collected.objects.push({ ...complete(kind, object), ...place });
  const sameName = allKinds.find(
    (known) => known.kind === object.kind && known.group === object.apiVersion.split('/').slice(0, -1).join('/'),
  );
  if (sameName !== undefined)
    return problem(`${object.kind}: apiVersion ${object.apiVersion} is not served, use ${apiVersionOf(sameName)}`);
  const name = `${object.apiVersion} ${object.kind}`;
  if (!collected.unknownKinds.has(name)) collected.unknownKinds.set(name, place.origin);
}

const isList = (value: unknown): value is { items: unknown[] } =>
  isRecord(value) &&
  typeof value['kind'] === 'string' &&
  value['kind'].endsWith('List') &&
  Array.isArray(value['items']);

/** The node of `items` in a List's document, to say where each object stands. */
export function itemNodes(document: Document.Parsed): readonly (YamlNode | null | undefined)[] {
  const { contents } = document;
  if (!isMap(contents)) return [];
  const pair = contents.items.find((candidate: Pair) => isScalar(candidate.key) && candidate.key.value === 'items');
  return isSeq(pair?.value) ? (pair.value.items as YamlNode[]) : [];
}

/**
 * Reads the objects of a file. What is wrong with one object costs no other.
 *
 * @throws ManifestSyntaxError if the text is neither YAML nor JSON
 */
export function readManifest(file: string, text: string): Manifest {
  const { documents, lines } = parseDocuments(file, text);
  const collected: Collected = { objects: [], problems: [], unknownKinds: new Map() };
  const originAt = (offset: number | undefined): Required<Origin> => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { file, line: line || 1, column: col || 1 };
  };
  for (const [index, document] of documents.entries()) {
    if (document.contents === null) continue;
    const value = plainValue(document, originAt(document.contents.range[0]));
    const nodes = isList(value) ? itemNodes(document) : [];
    const items = isList(value) ? value.items : [value];
    for (const [item, object] of items.entries()) {
      const offset = isList(value) ? nodes[item]?.range?.[0] : document.contents.range[0];
      collectObject(
        object,
        { origin: originAt(offset), document: index, item: isList(value) ? item : undefined },
        collected,
      );
    }
  }
  return collected;
}

function plainValue(document: Document.Parsed, origin: Required<Origin>): unknown {
  try {
    return document.toJS({ maxAliasCount });
  } catch (error) {
    throw new ManifestSyntaxError({ ...origin, message: (error as Error).message, isError: true });
  }
}
