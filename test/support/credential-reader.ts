/**
 * A thread that looks up numbered credentials without a pause while another thread changes the index, and
 * notes everything that must not be. It is told what it may rely on; see `ToReader`.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { openCredentialIndex, type CredentialIndexReader } from '#table/credential-index-reader.ts';
import { digestOf, neverPut, versionOf } from './numbered-credential.ts';

/** Numbers of keys that come and go as the writer likes. */
export interface ReaderSettings {
  readonly churned: readonly number[];
}

/** What the writer promises from now on, until it tells other facts. */
export interface Facts {
  /** Keys that are in the index, though ever replaced, each in this version at least. */
  readonly there: readonly (readonly [number: number, version: number])[];
  /** Keys that are gone and never come back. */
  readonly gone: readonly number[];
}

/** Each is answered by `applied` with its number; `stop` by a report, the last message. */
export type ToReader =
  | { readonly type: 'memory'; readonly number: number; readonly buffer: SharedArrayBuffer }
  | { readonly type: 'facts'; readonly number: number; readonly facts: Facts }
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
const { churned } = workerData as ReaderSettings;
const port = parentPort;
if (port === null) throw new Error('is to run as a worker');

const count = { lookUps: 0, found: 0, unknown: 0, newVersions: 0 };
const violations: string[] = [];
const leastVersions = new Map<number, number>();

type Digests = ReadonlyMap<number, Buffer>;
const digestsOf = (numbers: readonly number[], digest = digestOf): Digests =>
  new Map(numbers.map((number) => [number, digest(number)]));

const churnedDigests = digestsOf(churned);
const neverDigests = digestsOf(churned, neverPut);
let thereDigests: Digests = new Map();
let goneDigests: Digests = new Map();

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
  for (const [number, digest] of thereDigests) {
    const version = look(index, number, digest);
    if (version === undefined) violation(`${number} is there and was not found`);
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
  for (const [number, digest] of goneDigests) {
    if (look(index, number, digest) !== undefined) violation(`${number} is gone and was found`);
  }
}

function learn({ there, gone }: Facts): void {
  for (const [number, version] of there) {
    leastVersions.set(number, Math.max(version, leastVersions.get(number) ?? 0));
  }
  thereDigests = digestsOf(there.map(([number]) => number));
  goneDigests = digestsOf(gone);
}

let index: CredentialIndexReader | undefined;
let isStopped = false;

function receive(message: ToReader): void {
  if (message.type === 'stop') {
    isStopped = true;
    return;
  }
  if (message.type === 'memory') index = openCredentialIndex(message.buffer);
  else learn(message.facts);
  port?.postMessage({ type: 'applied', number: message.number } satisfies FromReader);
}

while (!isStopped) {
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    receive(next.message as ToReader);
  }
  if (index !== undefined) lookAtAll(index);
}
port.postMessage({ type: 'report', ...count, violations } satisfies FromReader);
