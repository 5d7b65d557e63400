/**
 * From a YAML edit to its enforcement on every worker.
 *
 *   write ends ──▶ (watch, translate, patch) ──▶ the last connection sees the new behaviour
 *
 * Connections are kept open and spread over the workers by the kernel; each asks without a pause until it
 * sees what the edit should bring. The time ends with the slowest of them.
 */
import { Client } from 'undici';
import { ask, untilAnswers } from './ask.ts';
import { divideCores } from './cores.ts';
import { directorySize, editAt, firstProbe, writeDirectory, type Edit, type Probe } from './edits.ts';
import { freePort } from '../test/support/free-port.ts';
import { latchkeyCommand } from './latchkey-command.ts';
import { startProcess } from './process.ts';
import { progress, type BenchReport } from './report.ts';
import { scratchDirectory } from './scratch.ts';
import { quantile } from './statistics.ts';
import { startUpstream } from './upstream.ts';

const workers = 2;
/** The kernel deals connections to workers at random: that all of these meet the same one happens once in 32,768. */
const connections = 16;
const targetP99Ms = 100;
/** An edit that is not in force after this is a failure. */
const deadlineMs = 5_000;
/** How often each connection looks again whether what it saw stays so. */
const repeats = 5;

/** Whether all probes have the status that they ask for, now and on this connection. */
async function hold(client: Client, probes: readonly Probe[]): Promise<boolean> {
  for (const { path, key, status } of probes) {
    const headers = key === undefined ? {} : { apikey: key };
    const { statusCode, body } = await client.request({ method: 'GET', path, headers });
    await body.dump();
    if (statusCode !== status) return false;
  }
  return true;
}

/** @throws Error if the probes do not hold in time */
async function untilHold(client: Client, probes: readonly Probe[], sinceMs: number): Promise<number> {
  while (!(await hold(client, probes))) {
    if (performance.now() - sinceMs > deadlineMs) throw new Error(`not in force after ${deadlineMs} ms`);
  }
  return performance.now() - sinceMs;
}

async function assertStays(client: Client, probes: readonly Probe[]): Promise<void> {
  for (let i = 0; i < repeats; i += 1) {
    if (!(await hold(client, probes))) throw new Error('was in force, and then no longer');
  }
}

/** Makes an edit and gives the time from the end of the write to the last connection that saw it. */
async function measure(edit: Edit, clients: readonly Client[]): Promise<number> {
  const [first] = clients;
  if (first === undefined || (await hold(first, edit.probes))) throw new Error('was in force before it was made');
  await edit.write();
  const sinceMs = performance.now();
  const seenMs = await Promise.all(clients.map(async (client) => untilHold(client, edit.probes, sinceMs)));
  await Promise.all(clients.map(async (client) => assertStays(client, edit.probes)));
  return Math.max(...seenMs);
}

interface Measured {
  readonly kind: string;
  readonly how: Edit['how'];
  readonly ms: number;
}

/** Makes all edits, one after the other. */
async function measureAll(edits: readonly Edit[], clients: readonly Client[]) {
  const measured: Measured[] = [];
  const failures: string[] = [];
  for (const [n, edit] of edits.entries()) {
    if (n % 50 === 0) progress(`edit ${n} of ${edits.length}`);
    try {
      measured.push({ kind: edit.kind, how: edit.how, ms: await measure(edit, clients) });
    } catch (error) {
      failures.push(`edit ${n} (${edit.kind}, ${edit.how}): ${(error as Error).message}`);
    }
  }
  return { measured, failures };
}

/** Starts Latchkey on a full directory; everything ends with the bench. */
async function startLatchkey(dir: string): Promise<string> {
  const upstream = await startUpstream(divideCores());
  await writeDirectory(dir, upstream.port);
  const port = await freePort();
  const running = startProcess(latchkeyCommand({ dir, port, workers }));
  const origin = `http://127.0.0.1:${port}`;
  const headers = { apikey: firstProbe.key ?? '' };
  await untilAnswers(running, { url: origin + firstProbe.path, headers, everyMs: 20, deadlineMs: 60_000 });
  const { status } = await ask(origin + firstProbe.path);
  if (status !== 401) throw new Error(`without a key the answer should be 401, it is ${status}`);
  return origin;
}

function figures(name: string, measured: readonly Measured[]) {
  const ms = measured.map((one) => one.ms);
  const at = (share: number): number => Number(quantile(ms, share).toFixed(2));
  return { name, edits: ms.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** One line for all, one for every kind of edit, one for every way of writing. */
function summarise(measured: readonly Measured[]) {
  const groups = Map.groupBy(measured, (one) => one.kind);
  const ways = Map.groupBy(measured, (one) => one.how);
  return [figures('all', measured), ...[...groups, ...ways].map(([name, some]) => figures(name, some))];
}

/** Runs the bench `propagation`. */
export async function propagationBench(options: { readonly edits: number }): Promise<BenchReport> {
  if (options.edits > directorySize) throw new Error(`--edits: at most ${directorySize}`);
  const dir = scratchDirectory();
  const origin = await startLatchkey(dir);
  const clients = Array.from({ length: connections }, () => new Client(origin));
  const edits = Array.from({ length: options.edits }, (_, n) => editAt(n, dir));
  const { measured, failures } = await measureAll(edits, clients);
  const resultsMs = summarise(measured);
  const p99 = resultsMs[0]?.p99 ?? Number.NaN;
  const size = `${directorySize} Ingresses and ${directorySize} consumers`;
  return {
    tables: [
      {
        title: 'propagation: from the end of a write to its enforcement on every worker',
        columns: ['edits', 'number', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
        rows: resultsMs.map((row) => [
          row.name,
          String(row.edits),
          ...[row.p50, row.p95, row.p99, row.max].map((ms) => ms.toFixed(1)),
        ]),
        notes: [
          `${size}; ${workers} workers, seen on ${connections} connections`,
          `target: p99 under ${targetP99Ms} ms: ${p99 < targetP99Ms ? 'met' : 'MISSED'}`,
        ],
      },
    ],
    facts: {
      ingresses: directorySize,
      consumers: directorySize,
      workers,
      connections,
      targetP99Ms,
      targetMet: p99 < targetP99Ms,
      resultsMs,
    },
    failures,
  };
}
