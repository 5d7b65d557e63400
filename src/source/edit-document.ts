import { isDeepStrictEqual } from 'node:util';
import { isCollection, isMap, isSeq, type Document, type Node, type YAMLMap, type YAMLSeq } from 'yaml';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The part of a document that an edit is about. */
export interface Part {
  readonly document: Document.Parsed;
  readonly path: readonly (string | number)[];
}

const below = ({ document, path }: Part, key: string | number): Part => ({ document, path: [...path, key] });

/** The node itself; an alias is not followed, since others point where it points. */
function nodeAt({ document, path }: Part): unknown {
  return path.length === 0 ? document.contents : document.getIn(path, true);
}

function replace({ document, path }: Part, value: unknown): void {
  if (path.length === 0) document.contents = document.createNode(value) as typeof document.contents;
  // A scalar is given to its node, so that its comment and its quotes stay.
  else document.setIn(path, isRecord(value) || Array.isArray(value) ? document.createNode(value) : value);
}

function editMap(part: Part, map: YAMLMap, current: Record<string, unknown>, wanted: Record<string, unknown>): void {
  for (const key of Object.keys(current)) if (!Object.hasOwn(wanted, key)) map.delete(key);
  for (const [key, value] of Object.entries(wanted)) {
    if (Object.hasOwn(current, key)) editPart(below(part, key), current[key], value);
    else map.set(part.document.createNode(key), part.document.createNode(value));
  }
}

/** What is equal at both ends stays as it is, so that an item may come or go in the middle. */
function editSeq(part: Part, seq: YAMLSeq, current: readonly unknown[], wanted: readonly unknown[]): void {
  const shorter = Math.min(current.length, wanted.length);
  let head = 0;
  while (head < shorter && isDeepStrictEqual(current[head], wanted[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && isDeepStrictEqual(current.at(-1 - tail), wanted.at(-1 - tail))) tail += 1;
  const both = shorter - tail;
  for (let i = head; i < both; i += 1) editPart(below(part, i), current[i], wanted[i]);
  const added = wanted.slice(both, wanted.length - tail).map((value) => part.document.createNode(value) as Node);
  seq.items.splice(both, current.length - tail - both, ...added);
}

/**
 * Turns a part of a document from what it is into what is wanted, touching only what differs: comments,
 * order and style of all the rest stay as their author left them.
 */
export function editPart(part: Part, current: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(current, wanted)) return;
  const node = nodeAt(part);
  if (isMap(node) && isRecord(current) && isRecord(wanted)) editMap(part, node, current, wanted);
  else if (isSeq(node) && Array.isArray(current) && Array.isArray(wanted)) editSeq(part, node, current, wanted);
  else replace(part, wanted);
}

/** Takes a part out of a document; gives whether anything is left where it stood. */
export function removePart({ document, path }: Part): { readonly isEmpty: boolean } {
  if (path.length === 0) return { isEmpty: true };
  document.deleteIn(path);
  const around = document.getIn(path.slice(0, -1), true);
  return { isEmpty: isCollection(around) && around.items.length === 0 };
}
