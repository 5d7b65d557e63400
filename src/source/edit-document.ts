import { isMap, isSeq, type Document } from 'yaml';
import { Equal } from 'typebox/value';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Path = readonly (string | number)[];

/**
 * Turns what stands at `path` of a document into `wanted`, touching only what differs: comments, order and
 * style of all the rest stay as their author left them.
 */
export function editDocument(document: Document, path: Path, current: unknown, wanted: unknown): void {
  if (Equal(current, wanted)) return;
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  if (isRecord(current) && isRecord(wanted) && isMap(node)) {
    for (const key of Object.keys(current)) if (!Object.hasOwn(wanted, key)) document.deleteIn([...path, key]);
    for (const [key, value] of Object.entries(wanted)) {
      if (Object.hasOwn(current, key)) editDocument(document, [...path, key], current[key], value);
      else document.setIn([...path, key], document.createNode(value));
    }
    return;
  }
  if (Array.isArray(current) && Array.isArray(wanted) && isSeq(node)) {
    for (let i = current.length - 1; i >= wanted.length; i -= 1) document.deleteIn([...path, i]);
    for (const [i, value] of wanted.entries()) {
      if (i < current.length) editDocument(document, [...path, i], current[i], value);
      else document.addIn(path, document.createNode(value));
    }
    return;
  }
  if (path.length === 0) document.contents = document.createNode(wanted) as typeof document.contents;
  else document.setIn(path, wanted);
}
