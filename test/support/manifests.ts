import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { kindNamed } from '#resources/all-kinds.ts';
import type { KubernetesObject } from '#resources/kind.ts';

const folder = join(import.meta.dirname, '..', 'cluster', 'manifests');

/** Where a file of test/cluster/manifests is. */
export const manifestPath = (name: string): string => join(folder, name);

/** The objects of such a file; those with a namespace are in `default`. */
export function readManifests(name: string): KubernetesObject[] {
  return parseAllDocuments(readFileSync(manifestPath(name), 'utf8')).map((document) => {
    const object = document.toJS() as KubernetesObject;
    return kindNamed(object.kind).scope === 'Cluster'
      ? object
      : { ...object, metadata: { ...object.metadata, namespace: 'default' } };
  });
}

/** What the author of an object said: without its status and the metadata that the API server adds. */
export function asWritten(object: KubernetesObject): object {
  const { status: _, metadata, ...fields } = object;
  const { 'kubectl.kubernetes.io/last-applied-configuration': __, ...annotations } = metadata.annotations ?? {};
  return { ...fields, metadata: { name: metadata.name, labels: metadata.labels ?? {}, annotations } };
}
