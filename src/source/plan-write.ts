import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { kindNamed } from '#resources/all-kinds.ts';
import { uidFromRef } from '#resources/ids.ts';
import { refOf, type KubernetesObject } from '#resources/kind.ts';
import { formatRef, refKey, type Ref } from '#resources/ref.ts';
import { editText } from './edit-text.ts';
import { readManifest, type FoundObject } from './manifest-file.ts';
import { newFileNames, newFileText } from './new-file.ts';
import type { Edit } from './source.ts';
import type { PlannedFile } from './write-files.ts';

/** Where new files go, and where an object stands: the files that hold it, the one in force first. */
export interface Places {
  readonly dir: string;
  filesOf(ref: Ref): readonly string[];
}

/** The files as they will be after the edits so far. */
type Plan = Map<string, PlannedFile>;

/** Finds an object in a text; the first if it stands there twice. @throws ManifestSyntaxError */
export function findInText(file: string, text: string, ref: Ref): FoundObject | undefined {
  return readManifest(file, text).objects.find((found) => refKey(found.ref) === refKey(ref));
}

async function textOf(file: string, plan: Plan): Promise<string | undefined> {
  const planned = plan.get(file);
  if (planned !== undefined) return planned.text;
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** What an edit makes of an object, as plain JSON data. @throws what the edit throws */
function applyEdit(edit: Edit, current: KubernetesObject | undefined): KubernetesObject | undefined {
  const { ref } = edit;
  const wanted = edit.apply(current === undefined ? undefined : structuredClone(current));
  if (wanted === undefined) return undefined;
  if (refKey(refOf(kindNamed(ref.kind), wanted)) !== refKey(ref))
    throw new Error(`an edit of ${formatRef(ref)} gave an object of another name`);
  return JSON.parse(JSON.stringify(wanted)) as KubernetesObject;
}

/** The object as its author would write it: what reading added is not theirs to see. */
function asWritten(wanted: KubernetesObject, ref: Ref, before: KubernetesObject | undefined): KubernetesObject {
  const metadata = { ...wanted.metadata };
  if (metadata.uid === uidFromRef(ref) && before?.metadata.uid === undefined) delete metadata.uid;
  if (before !== undefined && before.metadata.namespace === undefined) delete metadata.namespace;
  return { ...wanted, metadata };
}

/** Removes an object wherever it stands: were it left in one place, it would still be in force. */
async function planRemoval(ref: Ref, files: readonly string[], plan: Plan): Promise<void> {
  for (const file of files) {
    let text = await textOf(file, plan);
    let found = text === undefined ? undefined : findInText(file, text, ref);
    while (text !== undefined && found !== undefined) {
      text = editText({ file, text, found, wanted: undefined });
      plan.set(file, { file, isNew: plan.get(file)?.isNew ?? false, isSecret: false, text });
      found = text === undefined ? undefined : findInText(file, text, ref);
    }
  }
}

async function isFree(file: string, plan: Plan): Promise<boolean> {
  const planned = plan.get(file);
  if (planned !== undefined) return planned.text === undefined;
  return stat(file).then(
    () => false,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return true;
      throw error;
    },
  );
}

async function planNewFile(ref: Ref, wanted: KubernetesObject, places: Places, plan: Plan): Promise<void> {
  for (const name of newFileNames(ref)) {
    const file = join(places.dir, name);
    if (!(await isFree(file, plan))) continue;
    const isNew = plan.get(file)?.isNew ?? true;
    plan.set(file, { file, text: newFileText(wanted), isNew, isSecret: ref.kind === 'Secret' });
    return;
  }
}

async function planEdit(edit: Edit, places: Places, plan: Plan): Promise<void> {
  const { ref } = edit;
  const planned = [...plan.values()].filter(({ isNew }) => isNew).map(({ file }) => file);
  const files = [...places.filesOf(ref), ...planned];
  for (const file of files) {
    const text = await textOf(file, plan);
    const found = text === undefined ? undefined : findInText(file, text, ref);
    if (text === undefined || found === undefined) continue;
    const wanted = applyEdit(edit, found.object);
    if (wanted === undefined) return planRemoval(ref, files, plan);
    if (isDeepStrictEqual(wanted, found.object)) return;
    const edited = editText({ file, text, found, wanted: asWritten(wanted, ref, found.written) });
    plan.set(file, { isNew: false, isSecret: false, ...plan.get(file), file, text: edited });
    return;
  }
  const wanted = applyEdit(edit, undefined);
  if (wanted !== undefined) await planNewFile(ref, asWritten(wanted, ref, undefined), places, plan);
}

/**
 * What edits make of the files, from what the files hold now. Nothing is written here: if one edit throws,
 * none has happened.
 *
 * @throws what an edit throws; ManifestSyntaxError for a file that cannot be parsed
 */
export async function planWrite(edits: readonly Edit[], places: Places): Promise<readonly PlannedFile[]> {
  const plan: Plan = new Map();
  for (const edit of edits) await planEdit(edit, places, plan);
  return [...plan.values()].filter(({ isNew, text }) => !(isNew && text === undefined));
}
