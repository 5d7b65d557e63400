/** Objects of our CRDs on a real API server: quicker than kubectl where a test asks a hundred times. */
import { join } from 'node:path';
import { Agent, fetch } from 'undici';
import { findKind, kindNamed } from '#resources/all-kinds.ts';
import { collectionPath, objectPath } from '#resources/api-path.ts';
import { refOf, type KubernetesObject } from '#resources/kind.ts';
import { commandsFor } from './cluster-context.ts';
import type { ControlPlaneAccess } from './control-plane.ts';

/** The folder that users apply. */
export const definitions = join(import.meta.dirname, '..', '..', 'crds');

/** Applies crds/ as the README says, and waits until the API server serves them. */
export async function installDefinitions(access: ControlPlaneAccess): Promise<void> {
  const { kubectl } = commandsFor(access);
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', definitions]);
  await kubectl(['wait', '--for=condition=Established', '-f', definitions, '--timeout=60s']);
}

/** The kind of the Gateway API that Latchkey reads; a cluster need not have it. */
export async function installReferenceGrants(access: ControlPlaneAccess): Promise<void> {
  const { kubectl } = commandsFor(access);
  const file = join(import.meta.dirname, 'reference-grant-definition.yaml');
  await kubectl(['apply', '-f', file]);
  await kubectl(['wait', '--for=condition=Established', '-f', file, '--timeout=60s']);
}

export interface ApiAnswer {
  readonly status: number;
  readonly object: KubernetesObject & { readonly message?: string };
}

/** Patches: https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply */
const mergePatch = 'application/merge-patch+json';
const applyPatch = 'application/apply-patch+yaml';

/** Reads and writes objects as the administrator, whatever comes of it; bodies are sent as they are. */
export function objectApi({ server, ca, token }: ControlPlaneAccess) {
  // Over HTTP/2 the API server ends the connection of somebody who sends many large objects at once.
  const dispatcher = new Agent({ connect: { ca }, allowH2: false });
  const ask = async (method: string, path: string, body?: unknown, type = 'application/json'): Promise<ApiAnswer> => {
    const response = await fetch(`${server}${path}`, {
      method,
      dispatcher,
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, object: (await response.json()) as ApiAnswer['object'] };
  };
  const pathOf = (object: KubernetesObject): string => objectPath(refOf(kindNamed(object.kind), object));
  return {
    create: async (object: KubernetesObject, query = ''): Promise<ApiAnswer> => {
      const kind = findKind(object) ?? kindNamed(object.kind);
      return ask('POST', `${collectionPath(kind, refOf(kind, object).namespace)}${query}`, object);
    },
    /** Replaces an object whole; it must state the version that it replaces. */
    replace: async (object: KubernetesObject): Promise<ApiAnswer> => ask('PUT', pathOf(object), object),
    remove: async (object: KubernetesObject): Promise<ApiAnswer> => ask('DELETE', pathOf(object)),
    read: async (object: KubernetesObject): Promise<ApiAnswer> => ask('GET', pathOf(object)),
    patch: async (object: KubernetesObject, patch: object, query = ''): Promise<ApiAnswer> =>
      ask('PATCH', `${pathOf(object)}${query}`, patch, mergePatch),
    patchStatus: async (object: KubernetesObject, status: object): Promise<ApiAnswer> =>
      ask('PATCH', `${pathOf(object)}/status`, { status }, mergePatch),
    /** Server-side apply under a field manager. */
    applyAs: async (manager: string, object: KubernetesObject): Promise<ApiAnswer> =>
      ask('PATCH', `${pathOf(object)}?fieldManager=${manager}`, object, applyPatch),
    close: async (): Promise<void> => dispatcher.close(),
  };
}
