import { isDeepStrictEqual } from 'node:util';
import { CST, Parser, stringify, type ToStringOptions } from 'yaml';
import type { KubernetesObject } from '#resources/kind.ts';
import { editPart, removePart } from './edit-document.ts';
import { readManifest, type FoundObject } from './manifest-file.ts';
import { parseDocuments, plainValue, yamlOptions } from './manifest-text.ts';

/** One edit of a text: which object becomes what; undefined: it goes. */
interface TextEdit {
  readonly file: string;
  readonly text: string;
  readonly found: FoundObject;
  readonly wanted: KubernetesObject | undefined;
}

/** The way a text is indented and spaced, so that what is not edited reads as before. */
function styleOf(text: string): ToStringOptions {
  const nested = /^( *)[^\s#-][^\n]*:[ \t]*\n( +)[^\s#-]/m.exec(text);
  const indent = (nested?.[2]?.length ?? 0) - (nested?.[1]?.length ?? 0);
  const indentSeq = !/^( *)[^\s#-][^\n]*:[ \t]*\n\1- /m.test(text);
  const flowCollectionPadding = /[[{] /.test(text);
  return { lineWidth: 0, indentSeq, flowCollectionPadding, ...(indent > 0 ? { indent } : {}) };
}

/** The value of a document after an edit; undefined when nothing is left of it. */
function editValue(value: unknown, path: FoundObject['path'], wanted: KubernetesObject | undefined): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return wanted;
  if (Array.isArray(value)) {
    const item = editValue(value[Number(key)], rest, wanted);
    const items = value.toSpliced(Number(key), 1, ...(item === undefined ? [] : [item]));
    return items.length === 0 ? undefined : items;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const field = editValue(fields[key], rest, wanted);
  return field === undefined ? undefined : { ...fields, [key]: field };
}

/** The text of one document after an edit, comments and order kept; '' when nothing is left of it. */
function editDocumentText(edit: TextEdit, text: string): string {
  if (!text.includes('\r\n')) return editUnixText(edit, text);
  return editUnixText(edit, text.replaceAll('\r\n', '\n')).replaceAll('\n', '\r\n');
}

function editUnixText({ file, found: { path }, wanted }: TextEdit, text: string): string {
  const { documents, placeOf } = parseDocuments(file, text);
  const [document] = documents;
  if (document === undefined) return text;
  if (wanted === undefined) {
    if (removePart({ document, path }).isEmpty) return '';
  } else {
    const value = plainValue(file, document, placeOf);
    const current = path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], value);
    editPart({ document, path }, current, wanted);
  }
  return document.toString(styleOf(text));
}

/** Touches the one document that the object stands in; every other byte stays. */
function editInPlace(edit: TextEdit): string {
  let document = -1;
  const pieces = [...new Parser().parse(edit.text)].map((token) => {
    const piece = CST.stringify(token);
    if (token.type === 'document') document += 1;
    return token.type === 'document' && document === edit.found.document ? editDocumentText(edit, piece) : piece;
  });
  return pieces.join('');
}

/** Writes everything anew, in the order it was in. */
function rewrite({ file, text, found, wanted }: TextEdit): string {
  const { documents, placeOf } = parseDocuments(file, text);
  const values = documents.flatMap((document, i) => {
    const value = plainValue(file, document, placeOf);
    return (i === found.document ? editValue(value, found.path, wanted) : value) ?? [];
  });
  if (file.endsWith('.json') && values.length === 1) return `${JSON.stringify(values[0], null, 2)}\n`;
  return values.map((value) => stringify(value, { ...yamlOptions, lineWidth: 0 })).join('---\n');
}

/** Whether a text holds these objects and no others. */
function holds(file: string, text: string, expected: readonly KubernetesObject[]): boolean {
  try {
    const { objects } = readManifest(file, text);
    return isDeepStrictEqual(
      objects.map(({ written }) => written),
      expected,
    );
  } catch {
    return false;
  }
}

function isBlank(file: string, text: string): boolean {
  const { documents, placeOf } = parseDocuments(file, text);
  return documents.every((document) => plainValue(file, document, placeOf) === null);
}

/**
 * The text of a file after one object in it became another, or went (`wanted` undefined). Undefined when
 * nothing is left in the file. What is written around the object stays as it is, comments included, except
 * where that is not possible (an edit of what aliases share): then the file is written anew, without them.
 *
 * @throws ManifestSyntaxError if the text is neither YAML nor JSON
 */
export function editText(edit: TextEdit): string | undefined {
  const { file, text, found, wanted } = edit;
  const isFound = (other: FoundObject): boolean =>
    other.document === found.document && isDeepStrictEqual(other.path, found.path);
  const plain = wanted === undefined ? [] : [JSON.parse(JSON.stringify(wanted)) as KubernetesObject];
  const expected = readManifest(file, text).objects.flatMap((other) => (isFound(other) ? plain : [other.written]));
  const ways = file.endsWith('.json') ? [rewrite] : [editInPlace, rewrite];
  for (const way of ways) {
    const edited = way({ ...edit, wanted: plain[0] });
    if (holds(file, edited, expected)) return isBlank(file, edited) ? undefined : edited;
  }
  throw new Error(`${file}:${found.origin.line}: cannot be edited without changing other objects`);
}
