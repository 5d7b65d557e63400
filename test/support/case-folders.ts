/**
 * Folders of test/cases: what stands in them, and what is compared. Who applies the objects is somebody else's:
 * test/cases.test.ts hands them to the pipeline, test/cluster/cases.test.ts to a real API server.
 *
 *   upstream.yaml   Service `echo` with a real upstream behind it, applied in every case
 *   objects.yaml    what a user applies; UPSTREAM_PORT stands for the port of the upstream
 *   steps/NN-….yaml instead: several states one after the other; requests and verdicts are of the last
 *   pairs.yaml      name: {names, notBefore, notAfter} of certificates; CERTIFICATE_name and KEY_name stand for them
 *                     ca, otherCa, server and client are signed by a CA, in every case; SECURE_PORT, DEEP_PORT and
 *                     MUTUAL_PORT are those of the same upstream over TLS (support/upstream.ts)
 *   requests.yaml   - request: GET /path     host, headers ({name: value or list}), body
 *                     or https://host/path   over TLS, naming the host (serverName: another one, '' for none)
 *                     status: 401            message (of a JSON or text body); answer: headers, patterns (of headers), body
 *                     certificate: name      what was shown, one of pairs.yaml, or `made at start`
 *                     upstream: null         nothing reached it; or path, serverName, headers, absent, body
 *   verdicts.yaml   golden, written by `npm run golden` only
 *   only-in-files.txt   why no API server would ever hold such objects, if so; it is then tried with files alone
 *
 * A new case is a new folder, no code; its name is a sentence.
 */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { expect } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { formatRef } from '#resources/ref.ts';
import type { Verdict } from '#resources/verdict.ts';
import type { Pair } from '#gateway/self-signed.ts';
import { fingerprintOf, makePair, type WantedPair } from './certificates.ts';
import { send, type ReceivedAnswer } from './client.ts';
import { freePort } from './free-port.ts';
import { caCertificate, clientPair, otherCaCertificate, serverPair } from './signed-certificates.ts';
import { seenHeader, type SeenRequest } from './upstream.ts';

interface CaseRequest {
  readonly request: string;
  readonly host?: string;
  readonly serverName?: string;
  readonly certificate?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly status: number;
  readonly message?: string;
  readonly answer?: {
    readonly headers?: Readonly<Record<string, string | null>>;
    /** Regular expressions for values that are another every time. */
    readonly patterns?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  readonly upstream?: null | {
    readonly path?: string;
    readonly serverName?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly absent?: readonly string[];
    readonly body?: string;
  };
}

/** How every case is served. */
export async function caseSettings() {
  return {
    translate: {
      ingressClass: 'kong',
      defaultCertificate: { namespace: 'gateways', name: 'default' },
      // Cases have no today: keys that end in this century (but for its last days) are warned of, later ones are not.
      keyExpiryWarningMs: 73 * 365 * 86_400_000,
    },
    listen: { host: '127.0.0.1', port: await freePort() },
    httpsListen: { host: '127.0.0.1', port: await freePort() },
    workers: 1,
  };
}

const root = join(import.meta.dirname, '..', 'cases');

/** Every case, by its path below test/cases. */
export const caseFolders: readonly string[] = [
  ...new Set(globSync('**/{objects.yaml,steps}', { cwd: root }).map((path) => dirname(path))),
].sort();

/** Where the golden of a case stands. */
export const verdictsFile = (folder: string): string => join(root, folder, 'verdicts.yaml');

/** Why a case means something else, or nothing, where an API server looked at its objects first. */
export function otherOnApiServer(folder: string): string | undefined {
  const file = join(root, folder, 'only-in-files.txt');
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** Where a case is served: what it asks, and the upstream that answers. */
interface CaseStage {
  readonly port: number;
  /** Port of TLS. */
  readonly httpsPort: number | undefined;
  readonly upstream: CaseUpstream;
}

interface CaseUpstream {
  /** Where it listens: cases say 127.0.0.1, which no API server takes for the address of an endpoint. */
  readonly address: string;
  readonly port: number;
  readonly tlsPorts: { readonly secure: number; readonly deep: number; readonly mutual: number };
  take(): SeenRequest[];
}

/** Certificates that every case may name; those that a case makes for itself stand in its pairs.yaml. */
const signedPairs: Readonly<Record<string, Pair>> = {
  ca: { certificate: caCertificate, privateKey: '' },
  otherCa: { certificate: otherCaCertificate, privateKey: '' },
  server: serverPair,
  client: clientPair,
};

const pairsByFolder = new Map<string, Readonly<Record<string, Pair>>>();

/** The certificates of a case, made once. */
function pairsOf(folder: string): Readonly<Record<string, Pair>> {
  const file = join(root, folder, 'pairs.yaml');
  const wanted = existsSync(file) ? (parse(readFileSync(file, 'utf8')) as Record<string, WantedPair | null>) : {};
  const pairs =
    pairsByFolder.get(folder) ??
    Object.fromEntries(Object.entries(wanted).map(([name, pair]) => [name, makePair(pair ?? {})]));
  pairsByFolder.set(folder, pairs);
  return pairs;
}

/** Text of a file with what only this run knows. */
function readText(file: string, { upstream }: Pick<CaseStage, 'upstream'>): string {
  const pairs = { ...signedPairs, ...pairsOf(relative(root, dirname(file)).replace(/\/steps$/, '')) };
  return readFileSync(file, 'utf8')
    .replaceAll('127.0.0.1', upstream.address)
    .replaceAll('UPSTREAM_PORT', String(upstream.port))
    .replaceAll('SECURE_PORT', String(upstream.tlsPorts.secure))
    .replaceAll('DEEP_PORT', String(upstream.tlsPorts.deep))
    .replaceAll('MUTUAL_PORT', String(upstream.tlsPorts.mutual))
    .replaceAll(/CERTIFICATE_(\w+)/g, (_, name: string) => JSON.stringify(pairs[name]?.certificate))
    .replaceAll(/KEY_(\w+)/g, (_, name: string) => JSON.stringify(pairs[name]?.privateKey));
}

function readObjects(file: string, stage: Pick<CaseStage, 'upstream'>): KubernetesObject[] {
  return parseAllDocuments(readText(file, stage)).flatMap((document) =>
    document.contents === null ? [] : [document.toJS() as KubernetesObject],
  );
}

/** The states that a case goes through, each with all of its objects. */
export function caseStates(folder: string, stage: Pick<CaseStage, 'upstream'>): KubernetesObject[][] {
  const steps = join(root, folder, 'steps');
  const files = existsSync(steps)
    ? readdirSync(steps)
        .sort()
        .map((name) => join(steps, name))
    : [join(root, folder, 'objects.yaml')];
  const common = readObjects(join(root, 'upstream.yaml'), stage);
  return files.map((file) => [...common, ...readObjects(file, stage)]);
}

/** `https://host/path` in its parts; undefined for plain HTTP. */
const overTls = (target: string): RegExpExecArray | null => /^https:\/\/([^/]*)(\/.*)$/.exec(target);

function wayIn(target: string, { serverName }: CaseRequest, { port, httpsPort = 0 }: CaseStage) {
  const [, host = '', path = '/'] = overTls(target) ?? [];
  return host === '' ? { port, path: target } : { port: httpsPort, path, serverName: serverName ?? host };
}

function headerPairs(item: CaseRequest, target: string): [string, string][] {
  const pairs = Object.entries(item.headers ?? {}).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  );
  const host = item.host ?? overTls(target)?.[1];
  return host === undefined ? pairs : [['Host', host], ...pairs];
}

/** What an error says: in JSON, or where nginx would raise it in a text (kong-facts 2.2). */
function messageOf({ headers, body }: ReceivedAnswer): string | undefined {
  const isText = headers['content-type']?.includes('text/plain') ?? false;
  return isText ? body.split('\nrequest_id: ')[0] : (JSON.parse(body) as { message?: string }).message;
}

function expectAnswer(item: CaseRequest, answer: ReceivedAnswer): void {
  expect({ request: item.request, status: answer.status }).toEqual({ request: item.request, status: item.status });
  if (item.message !== undefined) expect(messageOf(answer)).toBe(item.message);
  if (item.answer?.body !== undefined) expect(answer.body).toBe(item.answer.body);
  for (const [name, value] of Object.entries(item.answer?.headers ?? {})) {
    expect([name, answer.headers[name.toLowerCase()] ?? null]).toEqual([name, value]);
  }
  for (const [name, pattern] of Object.entries(item.answer?.patterns ?? {})) {
    expect(String(answer.headers[name.toLowerCase()])).toMatch(new RegExp(pattern, 'v'));
  }
}

const nameOfFallback = { 'made at start': 'latchkey default certificate' } as const;

function expectCertificate(item: CaseRequest, answer: ReceivedAnswer, pairs: Readonly<Record<string, Pair>>): void {
  if (item.certificate === undefined) return;
  const shown = Object.entries(pairs).find(([, pair]) => fingerprintOf(pair) === answer.certificate?.fingerprint);
  const made = Object.entries(nameOfFallback).find(([, name]) => name === answer.certificate?.commonName);
  expect([item.request, (shown ?? made)?.[0]]).toEqual([item.request, item.certificate]);
}

function expectUpstream(item: CaseRequest, seen: readonly SeenRequest[]): void {
  if (item.upstream === undefined) return;
  if (item.upstream === null) return expect(seen).toEqual([]);
  expect(seen).toHaveLength(1);
  const [request] = seen;
  for (const field of ['path', 'serverName', 'body'] as const) {
    if (item.upstream[field] !== undefined) expect([field, request?.[field]]).toEqual([field, item.upstream[field]]);
  }
  for (const [name, value] of Object.entries(item.upstream.headers ?? {})) {
    expect([name, seenHeader(request, name)]).toEqual([name, [value]]);
  }
  for (const name of item.upstream.absent ?? []) expect([name, seenHeader(request, name)]).toEqual([name, []]);
}

/** Sends the requests of a case and compares what the client and the upstream got. */
export async function expectRequests(folder: string, stage: CaseStage): Promise<void> {
  const file = join(root, folder, 'requests.yaml');
  for (const item of existsSync(file) ? (parse(readText(file, stage)) as CaseRequest[]) : []) {
    stage.upstream.take();
    const [method = 'GET', target = '/'] = item.request.split(' ');
    const body = item.body === undefined ? {} : { body: item.body };
    const answer = await send({ ...wayIn(target, item, stage), method, headers: headerPairs(item, target), ...body });
    expectAnswer(item, answer);
    expectCertificate(item, answer, pairsOf(folder));
    expectUpstream(item, stage.upstream.take());
  }
}

/** The objects that a case's golden tells something wrong of. */
export function brokenInGolden(folder: string): string[] {
  const told = parse(readFileSync(verdictsFile(folder), 'utf8')) as { object: string; problems?: unknown }[];
  return told.filter(({ problems }) => problems !== undefined).map(({ object }) => object);
}

/** What people are told, as `verdicts.yaml` has it. */
export function verdictText(verdicts: readonly Verdict[]): string {
  const told = verdicts.map(({ ref, problems, notOurs }) => ({
    object: formatRef(ref),
    programmed: notOurs === undefined ? problems.length === 0 : `ignored: ${notOurs}`,
    ...(problems.length === 0
      ? {}
      : { problems: problems.map(({ reason, field, message, effect }) => ({ reason, field, message, effect })) }),
  }));
  return stringify(told, { lineWidth: 0 });
}
