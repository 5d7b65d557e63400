import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { kindNamed } from '#resources/all-kinds.ts';
import { uidFromRef } from '#resources/ids.ts';
import { refOf, type KubernetesObject } from '#resources/kind.ts';
import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import type { FoundObject } from './manifest-file.ts';
import { editedText, findInText, newFileName, newFileText } from './object-file.ts';
import type { Edit } from './source.ts';

/** What is to become of a file. */
export interface PlannedText {
  /** Undefined: the file goes. */
  readonly text: string | undefined;
  readonly isSecret: boolean;
}

/** Finds the file that an object stands in. */
export type FindFile = (ref: Ref) => string | undefined;

function assertSameRef(ref: Ref, object: KubernetesObject): void {
  if (refKey(refOf(kindNamed(ref.kind), object)) === refKey(ref)) return;
  throw new Error(`an edit of ${formatRef(ref)} gave another object`);
}

/** The object without the uid and namespace that reading added: they are not the author's to see. */
function withoutAdded(wanted: KubernetesObject, ref: Ref, found: FoundObject | undefined): KubernetesObject {
  const metadata = { ...wanted.metadata };
  if (metadata.uid === uidFromRef(ref) && found?.isUidAdded !== false) delete metadata.uid;
  if (found?.isNamespaceAdded === true) delete metadata.namespace;
  return { ...wanted, metadata };
}

/** A name for a new file that no other file has. */
async function freeFile(dir: string, ref: Ref, planned: ReadonlyMap<string, PlannedText>): Promise<string> {
  const name = newFileName(ref);
  for (let i = 1; ; i += 1) {
    const file = join(dir, i === 1 ? name : name.replace(/\.yaml$/, `-${i}.yaml`));
    const isTaken =
      planned.has(file) ||
      (await stat(file).then(
        () => true,
        () => false,
      ));
    if (!isTaken) return file;
  }
}

async function textOf(
  file: string | undefined,
  planned: ReadonlyMap<string, PlannedText>,
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  return planned.has(file) ? planned.get(file)?.text : readFile(file, 'utf8');
}

/**
 * The texts that edits lead to, file by file, from what the files hold now. Nothing is written here: if
 * one edit throws, none has happened.
 *
 * @throws what an edit throws; ManifestSyntaxError for a file that cannot be read
 */
export async function planWrite(
  dir: string,
  edits: readonly Edit[],
  findFile: FindFile,
): Promise<Map<string, PlannedText>> {
  const planned = new Map<string, PlannedText>();
  const placed = new Map<string, string>();
  for (const { ref, apply } of edits) {
    const isSecret = ref.kind === 'Secret';
    const file = placed.get(refKey(ref)) ?? findFile(ref);
    const text = await textOf(file, planned);
    const found = file === undefined || text === undefined ? undefined : findInText(file, text, ref);
    const wanted = apply(found === undefined ? undefined : structuredClone(found.object));
    if (wanted !== undefined) assertSameRef(ref, wanted);
    if (found !== undefined && file !== undefined && text !== undefined) {
      const kept = wanted === undefined ? undefined : withoutAdded(wanted, ref, found);
      planned.set(file, { text: editedText(file, text, found, kept), isSecret });
    } else if (wanted !== undefined) {
      const fresh = await freeFile(dir, ref, planned);
      placed.set(refKey(ref), fresh);
      planned.set(fresh, { text: newFileText(withoutAdded(wanted, ref, undefined)), isSecret });
    }
  }
  return planned;
}
