/**
 * Minutes under load while everything changes: does anybody ever get a wrong answer?
 *
 *   callers ──▶ latchkey (2 workers) ──▶ two echo upstreams, one of which dies and comes back
 *                  ▲ 100 edits a second: keys, routes, consumers, endpoints
 *
 * Every answer is judged by what may be right at its time. A key or route that is being changed may be in force or not;
 * never may an answer be a 5xx, name another consumer than the caller, or come from another route's path.
 */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'undici';
import { untilAnswers } from './ask.ts';
import { freePort } from './free-port.ts';
import { latchkeyCommand } from './latchkey-command.ts';
import {
  consumer,
  guardedIngress,
  keyAuthPlugin,
  keySecret,
  toYaml,
  upstreamService,
  type Manifest,
} from './manifests.ts';
import { startProcess } from './process.ts';
import { progress, type BenchReport } from './report.ts';
import { scratchDirectory } from './scratch.ts';
import { quantile } from './statistics.ts';

export interface SoakOptions {
  readonly minutes: number;
}

/** Consumers and routes that never change, and as many that do. */
const subjects = 20;
const callers = 16;
const editsPerSecond = 100;
const quietMs = 10_000;
const p99Target = 1.2;

/** An upstream that says what it was told: path, consumer, and the length of the body. */
async function startEcho(port: number): Promise<Server> {
  const server = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => (bytes += chunk.byteLength));
    request.on('end', () => {
      const { url, headers } = request;
      response.end(JSON.stringify({ path: url, consumer: headers['x-consumer-username'], bytes }));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

/** What a caller asks, and what may come of it. */
interface Question {
  readonly path: string;
  readonly key: string;
  readonly consumer: string;
  readonly body?: string;
  readonly statuses: readonly number[];
}

function questionOf(n: number): Question {
  const i = n % subjects;
  const body = n % 3 === 0 ? { body: 'x'.repeat(n % 5_000) } : {};
  const stable = {
    path: `/stable-${i}/${n}`,
    key: `stable-key-${i}`,
    consumer: `stable-${i}`,
    statuses: [200],
    ...body,
  };
  switch (n % 7) {
    case 0:
      return { ...stable, key: 'nobodys-key', statuses: [401] };
    case 1:
      return { ...stable, key: `moving-key-${i}`, consumer: `moving-${i}`, statuses: [200, 401] };
    case 2:
      return { ...stable, path: `/moving-${i}/${n}`, statuses: [200, 404] };
    default:
      return stable;
  }
}

interface Echo {
  readonly path: string;
  readonly consumer?: string;
  readonly bytes: number;
}

/** What is wrong with an answer; undefined for nothing. */
function faultOf({ path, consumer: caller, body = '', statuses }: Question, status: number, text: string) {
  if (!statuses.includes(status)) return `${path}: ${status} is none of ${statuses.join(', ')}`;
  if (status !== 200) return undefined;
  const echo = JSON.parse(text) as Echo;
  if (echo.path !== path) return `${path}: answered as ${echo.path}`;
  if (echo.consumer !== caller) return `${path}: ${caller} was taken for ${echo.consumer}`;
  return echo.bytes === body.length ? undefined : `${path}: ${echo.bytes} bytes of ${body.length} arrived`;
}

interface Tally {
  requests: number;
  /** Requests with a body whose upstream died under them: to send them once more would not be safe (RFC 9110 9.2.2). */
  died: number;
  readonly faults: string[];
  /** Times of the part that is under way. */
  times: number[];
}

/** Asks without a pause until told to stop. */
async function call(port: number, start: number, tally: Tally, signal: AbortSignal): Promise<void> {
  const client = new Client(`http://127.0.0.1:${port}`);
  for (let n = start; !signal.aborted; n += callers) {
    const question = questionOf(n);
    const startedMs = performance.now();
    try {
      const { statusCode, body } = await client.request({
        method: question.body === undefined ? 'GET' : 'POST',
        path: question.path,
        headers: { apikey: question.key },
        ...(question.body === undefined ? {} : { body: question.body }),
      });
      const fault = faultOf(question, statusCode, await body.text());
      if (statusCode === 502 && question.body !== undefined) tally.died += 1;
      else if (fault !== undefined) tally.faults.push(fault);
    } catch (error) {
      tally.faults.push(`${question.path}: ${(error as Error).message}`);
    }
    tally.requests += 1;
    tally.times.push(performance.now() - startedMs);
  }
  await client.close();
}

/** Replaces a file at once, as editors do. */
async function replaceFile(file: string, objects: readonly Manifest[]): Promise<void> {
  await writeFile(`${file}.next`, toYaml(objects));
  await rename(`${file}.next`, file);
}

/** Edits keys, routes and endpoints until told to stop; gives how many edits there were. */
async function edit(dir: string, ports: readonly number[], signal: AbortSignal): Promise<number> {
  let edits = 0;
  for (; !signal.aborted; edits += 1) {
    const i = edits % subjects;
    const isOn = Math.floor(edits / (3 * subjects)) % 2 === 0;
    if (edits % 3 === 0) {
      await replaceFile(join(dir, `moving-${i}.yaml`), [
        consumer(`moving-${i}`),
        keySecret(`moving-${i}`, isOn ? `moving-key-${i}` : `other-key-${i}`),
      ]);
    } else if (edits % 3 === 1) {
      await replaceFile(join(dir, `route-${i}.yaml`), isOn ? [guardedIngress(`moving-${i}`, `/moving-${i}`)] : []);
    } else {
      await replaceFile(join(dir, 'service.yaml'), upstreamService(...(isOn ? ports : ports.toReversed())));
    }
    await pause(1000 / editsPerSecond);
  }
  return edits;
}

/** Kills an upstream and brings it back, again and again. Kept connections die with it. */
async function shake(port: number, signal: AbortSignal): Promise<number> {
  let deaths = 0;
  let server = await startEcho(port);
  while (!signal.aborted) {
    await pause(1_000);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    await closed;
    deaths += 1;
    await pause(200);
    server = await startEcho(port);
  }
  server.closeAllConnections();
  server.close();
  return deaths;
}

const residentMB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** See the head of this file. */
export async function soakBench({ minutes }: SoakOptions): Promise<BenchReport> {
  const dir = scratchDirectory();
  const [port, shaky] = [await freePort(), await freePort()];
  const steady = await startEcho(0);
  const ports = [(steady.address() as AddressInfo).port, shaky];
  const names = Array.from({ length: subjects }, (_, i) => i);
  await writeFile(join(dir, 'service.yaml'), toYaml(upstreamService(...ports)));
  await writeFile(
    join(dir, 'stable.yaml'),
    toYaml([
      keyAuthPlugin(),
      ...names.flatMap((i) => [
        guardedIngress(`stable-${i}`, `/stable-${i}`),
        consumer(`stable-${i}`),
        keySecret(`stable-${i}`, `stable-key-${i}`),
      ]),
    ]),
  );
  const stop = new AbortController();
  const shaking = shake(shaky, stop.signal);
  const gateway = startProcess(latchkeyCommand({ dir, port, workers: 2 }));
  const ready = { url: `http://127.0.0.1:${port}/stable-0/`, headers: { apikey: 'stable-key-0' } };
  await untilAnswers(gateway, { ...ready, everyMs: 50, deadlineMs: 20_000 });

  const tally: Tally = { requests: 0, died: 0, faults: [], times: [] };
  const calling = Array.from({ length: callers }, async (_, i) => call(port, i, tally, stop.signal));
  await pause(quietMs);
  const quiet = tally.times;
  tally.times = [];
  const startMB = residentMB(gateway.pid);
  progress(`quiet: ${quiet.length} requests`);
  const editing = edit(dir, ports, stop.signal);
  await pause(minutes * 60_000);
  stop.abort();
  const [edits, deaths] = await Promise.all([editing, shaking, ...calling]);
  const endMB = residentMB(gateway.pid);
  await gateway.stop();
  steady.closeAllConnections();
  steady.close();

  const [quietP99, busyP99] = [quantile(quiet, 0.99), quantile(tally.times, 0.99)];
  const ratio = busyP99 / quietP99;
  const rows = [
    ['requests', String(tally.requests)],
    ['wrong answers', String(tally.faults.length)],
    ['POST whose upstream died under it', String(tally.died)],
    ['edits', String(edits)],
    ['deaths of an upstream', String(deaths)],
    ['p99 quiet / while all changes', `${quietP99.toFixed(2)} / ${busyP99.toFixed(2)} ms (${ratio.toFixed(2)} ×)`],
    ['resident at the start / at the end', `${startMB.toFixed(0)} / ${endMB.toFixed(0)} MB`],
  ];
  return {
    tables: [
      {
        title: `${minutes} minutes, ${callers} callers, ${editsPerSecond} edits a second at most`,
        columns: ['what', 'measured'],
        rows,
        notes: [`${ratio <= p99Target ? 'met' : 'MISSED'}: p99 within ${p99Target} × of the quiet one`],
      },
    ],
    facts: { minutes, requests: tally.requests, died: tally.died, edits, deaths, quietP99, busyP99, startMB, endMB },
    failures: tally.faults.slice(0, 10),
  };
}
