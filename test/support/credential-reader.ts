/**
 * A thread that looks up numbered credentials without a pause while another thread changes the index, and
 * notes everything that must not be. It is told what it may rely on; see `ToReader`.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { openCredentialIndex, type CredentialIndexReader } from '#table/credential-index-reader.ts';
import { digestOf, neverPut, versionOf } from './numbered-credential.ts';

/** Numbers of the keys, by what is known of them beforehand. */
export interface ReaderSettings {
  /** In the index from the first memory on, though ever changing. */
  readonly always: readonly number[];
  /** Put and removed all the time. */
  readonly churned: readonly number[];
}

export type ToReader =
  /** Read this from now on; answered by `applied`. */
  | { readonly type: 'memory'; readonly number: number; readonly buffer: SharedArrayBuffer }
  /** True from now on: keys that are gone for good, and the least version of every other that is told. */
  | { readonly type: 'facts'; readonly gone: readonly number[]; readonly atLeast: readonly [number, number][] }
  /** Answered by a report, the last message. */
  | { readonly type: 'stop' };

export type FromReader =
  | { readonly type: 'applied'; readonly number: number }
  | ({ readonly type: 'report' } & ReaderReport);

export interface ReaderReport {
  readonly lookUps: number;
  /** Look-ups of churned keys that found one, and that did not. */
  readonly found: number;
  readonly unknown: number;
  /** How often a key had another version than the time before. */
  readonly newVersions: number;
  /** What must not be, in words; at most as many as tell the story. */
  readonly violations: readonly string[];
}

const mostViolations = 20;
/** Of the keys that are gone for good, so many are looked up: those that went last. */
const mostGone = 16;
const { always, churned } = workerData as ReaderSettings;
const port = parentPort;
if (port === null) throw new Error('is to run as a worker');

const count = { lookUps: 0, found: 0, unknown: 0, newVersions: 0 };
const violations: string[] = [];
const gone = new Map<number, Buffer>();
const leastVersions = new Map<number, number>();
const alwaysDigests = new Map(always.map((number) => [number, digestOf(number)]));
const churnedDigests = new Map(churned.map((number) => [number, digestOf(number)]));
const neverDigests = new Map([...always, ...churned].map((number) => [number, neverPut(number)]));

function violation(text: string): void {
  if (violations.length < mostViolations) violations.push(text);
}

/** The version found for a key; undefined if it is unknown. */
function look(index: CredentialIndexReader, number: number, digest: Buffer): number | undefined {
  count.lookUps += 1;
  const found = index.find(digest, 0);
  if (found === 'expired') violation(`${number} has expired`);
  if (typeof found === 'string') return undefined;
  const version = versionOf(number, found);
  if (version === undefined) violation(`${number} was found as ${JSON.stringify(found)}`);
  return version ?? -1;
}

/** Versions never go back, not even from one memory to the next. */
function noteVersion(number: number, version: number): void {
  const least = leastVersions.get(number) ?? 0;
  if (version < least) violation(`${number} went back from version ${least} to ${version}`);
  if (version > least) count.newVersions += 1;
  leastVersions.set(number, Math.max(least, version));
}

function lookAtAll(index: CredentialIndexReader): void {
  for (const [number, digest] of alwaysDigests) {
    const version = look(index, number, digest);
    if (version === undefined) violation(`${number} is always there and was not found`);
    else noteVersion(number, version);
  }
  for (const [number, digest] of churnedDigests) {
    const version = look(index, number, digest);
    count[version === undefined ? 'unknown' : 'found'] += 1;
    if (version !== undefined) noteVersion(number, version);
  }
  for (const [number, digest] of neverDigests) {
    if (look(index, number, digest) !== undefined) violation(`what is almost ${number} was never put and was found`);
  }
  for (const [number, digest] of gone) {
    if (look(index, number, digest) !== undefined) violation(`${number} is gone for good and was found`);
  }
}

let index: CredentialIndexReader | undefined;
let isStopped = false;

function receive(message: ToReader): void {
  if (message.type === 'stop') isStopped = true;
  if (message.type === 'memory') {
    index = openCredentialIndex(message.buffer);
    port?.postMessage({ type: 'applied', number: message.number } satisfies FromReader);
  }
  if (message.type === 'facts') {
    for (const number of message.gone) gone.set(number, digestOf(number));
    for (const number of [...gone.keys()].slice(0, -mostGone)) gone.delete(number);
    for (const [number, version] of message.atLeast)
      leastVersions.set(number, Math.max(version, leastVersions.get(number) ?? 0));
  }
}

while (!isStopped) {
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    receive(next.message as ToReader);
  }
  if (index !== undefined) lookAtAll(index);
}
port.postMessage({ type: 'report', ...count, violations } satisfies FromReader);
