/**
 * Minutes under load: first while nothing happens and while everything changes, by turns, then while an upstream dies
 * again and again too, then, if asked for, while workers are killed. Does anybody ever get a wrong answer, do changes
 * make requests slow, does memory grow?
 *
 *   callers, WebSockets ──▶ latchkey (2 workers) ──▶ two echo upstreams, one of which dies and comes back
 *                              ▲ 100 edits a second: keys, routes, endpoints, a certificate
 *
 * Every answer is judged by what may be right at its time. What was changed less than a moment ago may be in force or
 * not; what was changed before must be. Never may an answer name another consumer than the caller, or come from another
 * route's path or an endpoint that is gone; and only a POST whose upstream died under it may be a 502.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { untilAnswers } from './ask.ts';
import { freePort } from '../test/support/free-port.ts';
import { latchkeyCommand } from './latchkey-command.ts';
import { startProcess, type Running } from './process.ts';
import { progress, type BenchReport } from './report.ts';
import { residentMemory } from './resident-memory.ts';
import { scratchDirectory } from './scratch.ts';
import { callAll, type Ways } from './soak/callers.ts';
import { watchCertificates } from './soak/certificates.ts';
import { startMortal, startSteady, type MortalUpstream } from './soak/echo.ts';
import { turnFiles } from './soak/moving.ts';
import { soakReport, type MeasuredPart } from './soak/soak-report.ts';
import { echoMessages, keepSockets } from './soak/sockets.ts';
import { newPart, newWatch, type Watch } from './soak/watch.ts';
import { certificateRef, editsOf, stayingKey, writeWorld, type World } from './soak/world.ts';

export interface SoakOptions {
  readonly minutes: number;
  /** Requests a second of all callers together; undefined for as many as they can. */
  readonly perSecond: number | undefined;
  /** Whether workers are killed at the end. */
  readonly killsWorkers: boolean;
}

const workers = 2;
const editsPerSecond = 100;
/** How often the quiet and the changing part alternate. */
const rounds = 4;
/** Compilers and pools; edits as well, for the control side has both. */
const warmUpSeconds = 15;
const restMs = 1_000;
const deathEveryMs = 1_000;
const deadMs = 200;
const killEveryMs = 5_000;
const sampleMs = 1_000;

type PartName = 'quiet' | 'edits' | 'edits and deaths' | 'edits and kills';

/** The parts in their order, each with its share of the time. */
function partsOf({ killsWorkers }: SoakOptions): { name: PartName; share: number }[] {
  const last: { name: PartName; share: number }[] = killsWorkers
    ? [
        { name: 'edits and deaths', share: 0.25 },
        { name: 'edits and kills', share: 0.15 },
      ]
    : [{ name: 'edits and deaths', share: 0.4 }];
  const share = 0.6 / (2 * rounds);
  const turns = Array.from({ length: rounds }, () => [
    { name: 'quiet' as const, share },
    { name: 'edits' as const, share },
  ]);
  return [...turns.flat(), ...last];
}

/** What all parts share. */
interface Stage {
  readonly gateway: Running;
  readonly statusUrl: string;
  readonly dir: string;
  readonly world: World;
  readonly mortal: MortalUpstream;
  readonly watch: Watch;
}

/** Does something again and again until told to stop. */
async function again(everyMs: number, signal: AbortSignal, act: () => Promise<void> | void): Promise<void> {
  while (!signal.aborted) {
    await pause(everyMs);
    if (!signal.aborted) await act();
  }
}

/** What else happens in a part, until told to stop; gives the number of edits. */
async function happenings(name: PartName, { gateway, dir, world, mortal, watch }: Stage, signal: AbortSignal) {
  if (name === 'quiet') return 0;
  const deaths = again(deathEveryMs, signal, async () => {
    if (name !== 'edits and deaths') return;
    mortal.die();
    await pause(deadMs);
    await mortal.revive();
  });
  const kills = again(killEveryMs, signal, () => {
    if (name !== 'edits and kills') return;
    watch.killsMs.push(performance.now());
    process.kill(gateway.pid, 'SIGUSR2');
  });
  const edits = await turnFiles(editsOf(world), { dir, perSecond: editsPerSecond, signal });
  await Promise.all([deaths, kills]);
  return edits;
}

/** Patches that workers were sent, and workers that died. */
async function controlCounts(statusUrl: string): Promise<{ patches: number; restarts: number }> {
  const text = await (await fetch(`${statusUrl}/metrics`)).text();
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].reduce(
      (total, [, n]) => total + Number(n),
      0,
    );
  return { patches: sum('latchkey_table_version'), restarts: sum('latchkey_worker_restarts_total') };
}

/** @throws Error with what it printed if the gateway ended */
async function runPart(name: PartName, seconds: number, stage: Stage): Promise<MeasuredPart> {
  const { gateway, watch, mortal, statusUrl } = stage;
  const stop = new AbortController();
  const before = { ...(await controlCounts(statusUrl)), deaths: mortal.deaths() };
  const part = newPart(name);
  progress(`${name}: ${seconds.toFixed(0)} s`);
  watch.part = part;
  const startedMs = performance.now();
  const happening = happenings(name, stage, stop.signal);
  await Promise.race([pause(seconds * 1_000), gateway.exited]);
  if (gateway.hasExited()) throw new Error(`${name}: the gateway ended:\n${gateway.output()}`);
  watch.part = newPart('between two parts');
  const tookSeconds = (performance.now() - startedMs) / 1_000;
  const after = await controlCounts(statusUrl);
  stop.abort();
  const edits = await happening;
  await pause(restMs);
  return {
    part,
    seconds: tookSeconds,
    edits,
    patches: after.patches - before.patches,
    restarts: after.restarts - before.restarts,
    deaths: mortal.deaths() - before.deaths,
  };
}

const killer = new URL('soak/worker-killer.ts', import.meta.url);

async function startGateway(dir: string, ways: Ways): Promise<{ gateway: Running; statusUrl: string }> {
  const status = `127.0.0.1:${await freePort()}`;
  const flags = ['--default-certificate', certificateRef, '--status-listen', status];
  const nodeFlags = ['--import', killer.href];
  const gateway = startProcess(latchkeyCommand({ dir, ...ways, workers, flags, nodeFlags }));
  const ready = { url: `http://127.0.0.1:${ways.port}/staying-0/`, headers: { apikey: stayingKey(0) } };
  await untilAnswers(gateway, { ...ready, everyMs: 50, deadlineMs: 20_000 });
  return { gateway, statusUrl: `http://${status}` };
}

/** Runs all parts, one after the other, while memory is looked at. */
async function runParts(options: SoakOptions, stage: Stage) {
  const samples: { seconds: number; MB: number }[] = [];
  await runPart('edits', warmUpSeconds, stage);
  const startedMs = performance.now();
  const sampling = setInterval(() => {
    if (stage.gateway.hasExited()) return; // the part that is under way ends with an error
    const seconds = (performance.now() - startedMs) / 1_000;
    samples.push({ seconds, MB: residentMemory(stage.gateway.pid).nowMB });
  }, sampleMs);
  const measured: MeasuredPart[] = [];
  try {
    for (const { name, share } of partsOf(options))
      measured.push(await runPart(name, share * options.minutes * 60, stage));
  } finally {
    clearInterval(sampling);
  }
  return { measured, samples };
}

/** Runs the bench `soak`. */
export async function soakBench(options: SoakOptions): Promise<BenchReport> {
  const dir = scratchDirectory();
  const steady = await startSteady();
  echoMessages(steady.server);
  const mortal = await startMortal();
  const world = await writeWorld(dir, { steady: steady.port, mortal: mortal.port });
  const ways = { port: await freePort(), httpsPort: await freePort() };
  const { gateway, statusUrl } = await startGateway(dir, ways);

  const watch = newWatch();
  const stop = new AbortController();
  const { signal } = stop;
  const { perSecond } = options;
  const going = [
    callAll({ ...ways, world, mortal, watch, perSecond, signal }),
    keepSockets(ways, { watch, signal }),
    watchCertificates(ways.httpsPort, world, { watch, signal }),
  ];
  const { measured, samples } = await runParts(options, { gateway, statusUrl, dir, world, mortal, watch });
  stop.abort();
  await Promise.all(going);
  await gateway.stop();
  return soakReport({ ...options, measured, samples, faults: watch.faults });
}
