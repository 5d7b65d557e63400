/**
 * From a cold start to the first proxied request: `npm start`, and the same without npm, so that npm's own
 * share is visible. Each in a copy of the checkout that uses its installed dependencies, so that the
 * checkout's own quickstart is left alone and ports in use do not matter.
 */
import { cp, mkdir, readdir, rm, stat, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { untilAnswers } from './ask.ts';
import { freePort } from '../test/support/free-port.ts';
import { startProcess } from './process.ts';
import { progress, type BenchReport } from './report.ts';
import { scratchDirectory } from './scratch.ts';
import { spread } from './statistics.ts';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const targetMs = 1_000;

/** A way to start it, with compiled code in its cache or not. */
interface Variant {
  readonly name: string;
  readonly command: readonly string[];
  readonly cache: 'empty' | 'kept';
}

const npm = ['npm', 'start', '--'];
const direct = [process.execPath, 'src/main.ts', 'quickstart'];

/** The target is for the first: what a newcomer meets, since the installation compiles once. */
const variants: readonly Variant[] = [
  { name: 'npm start, as installed', command: npm, cache: 'kept' },
  { name: 'npm start, nothing compiled', command: npm, cache: 'empty' },
  { name: 'node src/main.ts quickstart, as installed', command: direct, cache: 'kept' },
  { name: 'node src/main.ts quickstart, nothing compiled', command: direct, cache: 'empty' },
];

/**
 * The bench never installs: `npm start` would, in the middle of a measurement, if the lock file were newer.
 *
 * @throws Error that says what to do if the dependencies are missing or older than the lock file
 */
async function assertInstalled(): Promise<void> {
  const lock = await stat(join(checkout, 'package-lock.json'));
  const installed = await stat(join(checkout, 'node_modules/.package-lock.json')).catch(() => undefined);
  if (installed !== undefined && lock.mtimeMs <= installed.mtimeMs) return;
  throw new Error('the dependencies are missing or older than the lock file: run scripts/setup.sh first');
}

/**
 * The installed dependencies, linked one by one into a directory of the copy's own. A link to the whole
 * directory would be a trap: an `npm ci` in the copy empties what such a link points at, so the checkout's
 * own dependencies. Of links to packages it removes only the links.
 */
async function linkDependencies(copy: string): Promise<void> {
  const installed = join(checkout, 'node_modules');
  await mkdir(join(copy, 'node_modules'));
  for (const name of await readdir(installed)) {
    if (name === '.cache') continue; // compiled code is the copy's own
    await symlink(join(installed, name), join(copy, 'node_modules', name));
  }
}

/** A copy of all that `npm start` runs. Times are preserved, because the set-up script compares them. */
async function copyCheckout(): Promise<string> {
  await assertInstalled();
  const copy = scratchDirectory();
  for (const name of ['src', 'examples', 'scripts', 'package.json', 'package-lock.json', '.npmrc']) {
    await cp(join(checkout, name), join(copy, name), { recursive: true, preserveTimestamps: true });
  }
  await linkDependencies(copy);
  return copy;
}

/**
 * The environment of a person at a prompt: npm runs under the machine's own Node, not under the pinned one
 * that `npm run bench` puts first.
 */
function environment(): NodeJS.ProcessEnv {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) && name !== 'NODE_COMPILE_CACHE');
  return { ...Object.fromEntries(own), PATH: path.join(delimiter) };
}

/** Starts it once and gives the time until a request to the example's route came back from its upstream. */
async function measureOnce(copy: string, variant: Variant): Promise<number> {
  if (variant.cache === 'empty') await rm(join(copy, 'node_modules/.cache'), { recursive: true, force: true });
  else await startProcess([process.execPath, 'scripts/warm-up.ts'], { cwd: copy }).exited;
  const listen = ['proxy', 'admin', 'status'].map(async (name) => [
    `--${name}-listen`,
    `127.0.0.1:${await freePort()}`,
  ]);
  const addresses = (await Promise.all(listen)).flat();
  const url = `http://${addresses[1]}/mock/request`;
  const startedAtMs = performance.now();
  const command = [...variant.command, '--fresh', '--echo-port', String(await freePort()), ...addresses];
  const running = startProcess(command, { cwd: copy, env: environment() });
  await untilAnswers(running, { url, everyMs: 2, deadlineMs: 30_000 });
  const tookMs = performance.now() - startedAtMs;
  await running.stop();
  return tookMs;
}

/** Each variant once a round, so that a slow minute of the machine hits all alike. Round 0 fills caches. */
async function measureRounds(copy: string, runs: number): Promise<Map<string, number[]>> {
  const tookMs = new Map(variants.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round <= runs; round += 1) {
    for (const variant of variants) {
      const ms = await measureOnce(copy, variant);
      progress(`${variant.name}: ${ms.toFixed(0)} ms${round === 0 ? ' (not counted)' : ''}`);
      if (round > 0) tookMs.get(variant.name)?.push(ms);
    }
  }
  return tookMs;
}

/** Runs the bench `start`. */
export async function startBench({ runs }: { readonly runs: number }): Promise<BenchReport> {
  const copy = await copyCheckout();
  const measured = [...(await measureRounds(copy, runs))];
  const results = measured.map(([name, runsMs]) => ({ name, ...spread(runsMs), runsMs }));
  const worst = results[0]?.max ?? Number.NaN;
  const verdict = `target: npm start, as installed, under ${targetMs} ms; slowest run ${worst.toFixed(0)} ms: ${worst < targetMs ? 'met' : 'MISSED'}`;
  return {
    tables: [
      {
        title: 'start: from the command to the first proxied request',
        columns: ['command', 'median ms', 'min ms', 'max ms'],
        rows: results.map(({ name, median, min, max }) => [name, ...[median, min, max].map((ms) => ms.toFixed(0))]),
        notes: [`${runs} runs each`, verdict],
      },
    ],
    facts: { runs, targetMs, targetMet: worst < targetMs, results },
    failures: [],
  };
}
