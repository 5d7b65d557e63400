/**
 * The edits of the bench `propagation`: each changes one file of a served directory, and says which requests
 * show that it is in force.
 */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  consumer,
  guardedIngress,
  keyAuthPlugin,
  keySecret,
  toYaml,
  upstreamService,
  type Manifest,
} from './manifests.ts';

/** A request, and the status that it has once the edit is in force. */
export interface Probe {
  readonly path: string;
  readonly key?: string;
  readonly status: number;
}

export interface Edit {
  readonly kind: string;
  readonly how: 'atomic write' | 'in-place write' | 'removal';
  /** Resolves when the writer is done: from then on the time counts. */
  write(): Promise<void>;
  /** All hold once the edit is in force; before it at least one does not. */
  readonly probes: readonly Probe[];
}

interface Content {
  readonly file: string;
  readonly objects: readonly Manifest[];
}

const ingressFile = (i: number): string => `ingress-${i}.yaml`;
const secretFile = (i: number): string => `secret-${i}.yaml`;
const pluginFile = 'key-auth.yaml';
const consumerName = (i: number): string => `consumer-${i}`;
const ingressAt = (i: number, path: string): Content => ({
  file: ingressFile(i),
  objects: [guardedIngress(`route-${i}`, path)],
});
const secretOf = (i: number, key: string): Content => ({
  file: secretFile(i),
  objects: [keySecret(consumerName(i), key)],
});

/** How many Ingresses, and as many consumers, each in a file of its own. All share one KongPlugin. */
export const directorySize = 1_000;

const firstPath = (i: number): string => `/route-${i}`;
const firstKey = (i: number): string => `first-key-of-${i}`;

/** Fills a directory with what the edits start from. */
export async function writeDirectory(dir: string, upstreamPort: number): Promise<void> {
  const each = Array.from({ length: directorySize }, (_, i): Content[] => [
    ingressAt(i, firstPath(i)),
    { file: `consumer-${i}.yaml`, objects: [consumer(consumerName(i))] },
    secretOf(i, firstKey(i)),
  ]);
  const shared: Content[] = [
    { file: 'upstream.yaml', objects: upstreamService(upstreamPort) },
    { file: pluginFile, objects: [keyAuthPlugin()] },
  ];
  for (const { file, objects } of [...each.flat(), ...shared]) await writeFile(join(dir, file), toYaml(objects));
}

/** A request that is answered once the directory is served. */
export const firstProbe: Probe = { path: firstPath(0), key: firstKey(0), status: 200 };

/** Six in turn; the two of a pair undo each other, so that each edit starts from a known state. */
const kinds: readonly ((i: number) => { kind: string; content?: Content; removes?: string; probes: Probe[] })[] = [
  (i) => ({
    kind: 'key changed',
    content: secretOf(i, `second-key-of-${i}`),
    probes: [
      { path: firstPath(i), key: `second-key-of-${i}`, status: 200 },
      { path: firstPath(i), key: firstKey(i), status: 401 },
    ],
  }),
  (i) => ({
    kind: 'Ingress path changed',
    content: ingressAt(i, `/moved-${i}`),
    probes: [
      { path: `/moved-${i}`, key: firstKey(i), status: 200 },
      { path: firstPath(i), key: firstKey(i), status: 404 },
    ],
  }),
  (i) => ({
    kind: 'plugin disabled (on 1,000 routes)',
    content: { file: pluginFile, objects: [keyAuthPlugin('disabled')] },
    probes: [{ path: firstPath(i), status: 200 }],
  }),
  (i) => ({
    kind: 'plugin enabled (on 1,000 routes)',
    content: { file: pluginFile, objects: [keyAuthPlugin()] },
    probes: [{ path: firstPath(i), status: 401 }],
  }),
  (i) => ({
    kind: 'Secret deleted',
    removes: secretFile(i),
    probes: [{ path: firstPath(i), key: firstKey(i), status: 401 }],
  }),
  (i) => ({
    kind: 'Secret added',
    content: secretOf(i, firstKey(i)),
    probes: [{ path: firstPath(i), key: firstKey(i), status: 200 }],
  }),
];

/** Every fifth edit writes into the file as it stands; the others do as editors and tools do. */
async function write(dir: string, { file, objects }: Content, how: Edit['how']): Promise<void> {
  const path = join(dir, file);
  if (how === 'in-place write') return writeFile(path, toYaml(objects));
  const temporary = join(dir, `.${file}.tmp`);
  await writeFile(temporary, toYaml(objects));
  return rename(temporary, path);
}

/**
 * The n-th edit (from 0). Every edit has an Ingress and a consumer that no other changed before, but for the
 * pair that deletes and adds the same Secret.
 */
export function editAt(n: number, dir: string): Edit {
  const make = kinds[n % kinds.length] as (typeof kinds)[number];
  const subject = n % kinds.length === kinds.length - 1 ? n - 1 : n;
  const { kind, content, removes, probes } = make(subject);
  const how = removes !== undefined ? 'removal' : n % 5 === 4 ? 'in-place write' : 'atomic write';
  const apply = async () => (content === undefined ? rm(join(dir, removes ?? '')) : write(dir, content, how));
  return { kind, how, probes, write: apply };
}
