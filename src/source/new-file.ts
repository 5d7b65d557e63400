import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { KubernetesObject } from '#resources/kind.ts';
import { refKey, type Ref } from '#resources/ref.ts';
import { yamlOptions } from './manifest-text.ts';

/** Most file systems take 255 bytes; the rest is for a number, an ending and a temporary name. */
const maxNameLength = 200;

/** The text of a new file for an object, in the order that people write it in. */
export function newFileText({ apiVersion, kind, metadata, ...rest }: KubernetesObject): string {
  return stringify({ apiVersion, kind, metadata, ...rest }, { ...yamlOptions, lineWidth: 0 });
}

/** Names for a new file of an object, best first: `kongplugin-default-limits.yaml`, `…-2.yaml`, … */
export function* newFileNames(ref: Ref): Generator<string, never> {
  const name = [ref.kind, ref.namespace, ref.name]
    .filter((part) => part !== '')
    .join('-')
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-');
  const digest = createHash('sha256').update(refKey(ref)).digest('hex').slice(0, 12);
  const stem = name.length > maxNameLength ? `${name.slice(0, maxNameLength)}-${digest}` : name;
  yield `${stem}.yaml`;
  for (let i = 2; ; i += 1) yield `${stem}-${i}.yaml`;
}
