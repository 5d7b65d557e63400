import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Document } from 'yaml';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import { editDocument } from './edit-document.ts';
import { parseDocuments, readManifest, yamlOptions, type FoundObject } from './manifest-file.ts';

/** Mode of a file that holds a Secret: its owner's alone. */
const secretMode = 0o600;
const plainMode = 0o644;

const keyOrder = ['apiVersion', 'kind', 'metadata'];

/** The object in the order that people write it in. */
function ordered(object: KubernetesObject): Record<string, unknown> {
  const rest = Object.keys(object).filter((key) => !keyOrder.includes(key));
  return Object.fromEntries([...keyOrder, ...rest].map((key) => [key, object[key]]));
}

/** The text of a new file for an object. */
export function newFileText(object: KubernetesObject): string {
  return new Document(ordered(object), yamlOptions).toString({ lineWidth: 0 });
}

/** The name of a new file for an object: `kongplugin-default-my-plugin.yaml`. */
export function newFileName({ kind, namespace, name }: Ref): string {
  return `${[kind.toLowerCase(), namespace, name].filter((part) => part !== '').join('-')}.yaml`;
}

/**
 * The text of a file after one object in it became another, or is gone (`wanted` undefined). Undefined
 * when nothing is left in the file.
 */
export function editedText(
  file: string,
  text: string,
  found: FoundObject,
  wanted: KubernetesObject | undefined,
): string | undefined {
  const { documents } = parseDocuments(file, text);
  const document = documents[found.document];
  if (document === undefined) return text;
  const path = found.item === undefined ? [] : ['items', found.item];
  if (wanted !== undefined) editDocument(document as unknown as Document, path, valueAt(document, path), wanted);
  else if (found.item !== undefined) document.deleteIn(path);
  else documents.splice(found.document, 1);
  if (file.endsWith('.json'))
    return documents.length === 0 ? undefined : `${JSON.stringify(documents[0]?.toJS(), null, 2)}\n`;
  const written = documents.filter((candidate) => candidate.contents !== null);
  return written.length === 0 ? undefined : joinDocuments(written as unknown as Document[]);
}

function valueAt(document: { toJS(): unknown }, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string | number, unknown>)[key], document.toJS());
}

function joinDocuments(documents: readonly Document[]): string {
  return documents
    .map((document, index) => {
      const text = document.toString({ lineWidth: 0 }).replace(/^---\n/, '');
      return index === 0 ? text : `---\n${text}`;
    })
    .join('');
}

/** Where an object stands in a text, by ref; the first if it stands there twice. */
export function findInText(file: string, text: string, ref: Ref): FoundObject | undefined {
  return readManifest(file, text).objects.find(
    (found) => found.ref.kind === ref.kind && found.ref.namespace === ref.namespace && found.ref.name === ref.name,
  );
}

async function modeOf(file: string, isSecret: boolean): Promise<number> {
  return stat(file).then(
    ({ mode }) => mode & 0o777,
    () => (isSecret ? secretMode : plainMode),
  );
}

/** Replaces a file as a whole: whoever reads it meets the old text or the new one, never a part. */
export async function writeWhole(file: string, text: string, options: { readonly isSecret: boolean }): Promise<void> {
  const mode = await modeOf(file, options.isSecret);
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  const handle = await open(temporary, 'wx', mode);
  try {
    await handle.chmod(mode); // whatever the umask
    await handle.writeFile(text, 'utf8');
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file).catch(async (error: unknown) => {
    await rm(temporary, { force: true });
    throw error;
  });
}
