/**
 * Runs every folder of test/cases: applies `objects.yaml`, sends `requests.yaml` through the real gateway
 * and compares what people are told with `verdicts.yaml`.
 *
 *   upstream.yaml   Service `echo` with a real upstream behind it, applied in every case
 *   objects.yaml    what a user applies; UPSTREAM_PORT stands for the port of the upstream
 *   steps/NN-….yaml instead: several states one after the other; requests and verdicts are of the last
 *   requests.yaml   - request: GET /path     host, headers ({name: value or list}), body
 *                     status: 401            headers, body (exact) or message (of a JSON body)
 *                     upstream: null         nothing reached it; or path, headers, absent, body
 *   verdicts.yaml   golden, written by `npm run golden` only
 *
 * A new case is a new folder, no code; its name is a sentence.
 */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { formatRef } from '#resources/ref.ts';
import { startPipeline, type Pipeline } from '#pipeline.ts';
import { send, type ReceivedAnswer } from './support/client.ts';
import { objectSource } from './support/object-source.ts';
import { silent } from './support/silent.ts';
import { seenHeader, startUpstream, type SeenRequest } from './support/upstream.ts';

interface CaseRequest {
  readonly request: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly status: number;
  readonly message?: string;
  readonly answer?: { readonly headers?: Readonly<Record<string, string | null>>; readonly body?: string };
  readonly upstream?: null | {
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly absent?: readonly string[];
    readonly body?: string;
  };
}

const root = join(import.meta.dirname, 'cases');
const folders = [...new Set(globSync('**/{objects.yaml,steps}', { cwd: root }).map((path) => dirname(path)))].sort();

const source = objectSource();
let upstream: Awaited<ReturnType<typeof startUpstream>>;
let pipeline: Pipeline;

beforeAll(async () => {
  upstream = await startUpstream();
  pipeline = await startPipeline({
    openSource: async () => source,
    translate: { ingressClass: 'kong' },
    listen: { host: '127.0.0.1', port: 0 },
    workers: 1,
    ...(await silent()),
    version: '0.0.0-test',
  });
});

afterAll(async () => {
  await pipeline.stop(0);
  await upstream.close();
});

function readText(file: string): string {
  return readFileSync(file, 'utf8').replaceAll('UPSTREAM_PORT', String(upstream.port));
}

function readObjects(file: string): KubernetesObject[] {
  const text = readText(file);
  return parseAllDocuments(text).flatMap((document) =>
    document.contents === null ? [] : [document.toJS() as KubernetesObject],
  );
}

async function apply(folder: string): Promise<void> {
  source.set([]);
  const steps = join(folder, 'steps');
  const files = existsSync(steps)
    ? readdirSync(steps)
        .sort()
        .map((name) => join(steps, name))
    : [join(folder, 'objects.yaml')];
  const common = readObjects(join(root, 'upstream.yaml'));
  for (const file of files) {
    source.set([...common, ...readObjects(file)]);
    await pipeline.settled();
  }
}

function headerPairs(item: CaseRequest): [string, string][] {
  const pairs = Object.entries(item.headers ?? {}).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  );
  return item.host === undefined ? pairs : [['Host', item.host], ...pairs];
}

function expectAnswer(item: CaseRequest, answer: ReceivedAnswer): void {
  expect({ request: item.request, status: answer.status }).toEqual({ request: item.request, status: item.status });
  if (item.message !== undefined) expect((JSON.parse(answer.body) as { message: string }).message).toBe(item.message);
  if (item.answer?.body !== undefined) expect(answer.body).toBe(item.answer.body);
  for (const [name, value] of Object.entries(item.answer?.headers ?? {})) {
    expect([name, answer.headers[name.toLowerCase()] ?? null]).toEqual([name, value]);
  }
}

function expectUpstream(item: CaseRequest, seen: readonly SeenRequest[]): void {
  if (item.upstream === undefined) return;
  if (item.upstream === null) return expect(seen).toEqual([]);
  expect(seen).toHaveLength(1);
  const [request] = seen;
  if (item.upstream.path !== undefined) expect(request?.path).toBe(item.upstream.path);
  if (item.upstream.body !== undefined) expect(request?.body).toBe(item.upstream.body);
  for (const [name, value] of Object.entries(item.upstream.headers ?? {})) {
    expect([name, seenHeader(request, name)]).toEqual([name, [value]]);
  }
  for (const name of item.upstream.absent ?? []) expect([name, seenHeader(request, name)]).toEqual([name, []]);
}

function verdictText(): string {
  const told = pipeline.reporter.all().map(({ ref, problems, notOurs }) => ({
    object: formatRef(ref),
    programmed: notOurs === undefined ? problems.length === 0 : `ignored: ${notOurs}`,
    ...(problems.length === 0
      ? {}
      : { problems: problems.map(({ reason, field, message, effect }) => ({ reason, field, message, effect })) }),
  }));
  return stringify(told, { lineWidth: 0 });
}

describe.for(folders)('%s', (folder) => {
  test(basename(folder), async () => {
    await apply(join(root, folder));
    const requests = join(root, folder, 'requests.yaml');
    for (const item of existsSync(requests) ? (parse(readText(requests)) as CaseRequest[]) : []) {
      upstream.take();
      const [method = 'GET', path = '/'] = item.request.split(' ');
      const body = item.body === undefined ? {} : { body: item.body };
      const answer = await send({ port: pipeline.port, method, path, headers: headerPairs(item), ...body });
      expectAnswer(item, answer);
      expectUpstream(item, upstream.take());
    }
    await expect(verdictText()).toMatchFileSnapshot(join(root, folder, 'verdicts.yaml'));
  });
});
