/** `npm run bench -- <name>`: measures, prints a table; with --json one JSON object on stdout and nothing else. */
import { parseArgs } from 'node:util';
import { progress, type BenchReport } from './report.ts';
import { renderTable } from './table.ts';

const defaults = {
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '5' },
  minutes: { type: 'string', default: '5' },
  rate: { type: 'string', default: '2000' },
  'kill-workers': { type: 'boolean', default: false },
  seconds: { type: 'string', default: '4' },
  connections: { type: 'string', default: '32' },
  scenario: { type: 'string' },
  peers: { type: 'string' },
  'idle-connections': { type: 'string', default: '5000' },
  edits: { type: 'string', default: '200' },
  runs: { type: 'string', default: '5' },
  part: { type: 'string' },
  ingresses: { type: 'string', default: '1000' },
  consumers: { type: 'string', default: '10000' },
  changes: { type: 'string', default: '500' },
  'status-changes': { type: 'string', default: '100' },
  burst: { type: 'string', default: '1000' },
  routes: { type: 'string', default: '100' },
  starts: { type: 'string', default: '3' },
  sizes: { type: 'string', default: '1000,2500,5000,10000' },
  'node-flags': { type: 'string', default: '' },
} as const;

const parse = () => parseArgs({ allowPositionals: true, options: defaults });
type Flags = ReturnType<typeof parse>['values'];

type TextFlag = Exclude<
  keyof Flags,
  'json' | 'help' | 'rate' | 'kill-workers' | 'peers' | 'part' | 'scenario' | 'node-flags'
>;

/** @throws Error that names the flag if the text is not a whole number above 0 */
function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Error(`--${name}: expected a whole number above 0, got ${text}`);
  return Number(text);
}

const count = (flags: Flags, name: TextFlag): number => wholeNumber(name, flags[name]);

/** All parts, or those that are named. @throws Error if a name is none */
function partsOf<T extends string>({ part }: Flags, parts: readonly T[]): readonly T[] {
  if (part === undefined) return parts;
  const unknown = part.split(',').find((name) => !parts.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`--part: there are ${parts.join(', ')}, got ${unknown}`);
  return parts.filter((known) => part.split(',').includes(known));
}

interface Bench {
  readonly measures: string;
  readonly flags: string;
  run(flags: Flags): Promise<BenchReport>;
}

/** Each is loaded only when it runs: what one needs in memory must not weigh on another. */
const benches: Readonly<Record<string, Bench>> = {
  proxy: {
    measures:
      'key-auth and forward on one core, beside nginx, HAProxy, Traefik, Caddy, @fastify/http-proxy and http.Agent',
    flags: `--rounds 5 --seconds 4 --connections 32 --peers latchkey,nginx,…
      --scenario key-auth,401,tls,64k,1000-connections,h2,2-workers|all`,
    async run(flags) {
      const { proxyBench } = await import('./proxy.ts');
      const size = { rounds: count(flags, 'rounds'), seconds: count(flags, 'seconds') };
      const peers = flags.peers === undefined ? {} : { peers: flags.peers.split(',') };
      const scenarios = flags.scenario === undefined ? {} : { scenarios: flags.scenario.split(',') };
      return proxyBench({ ...size, ...peers, ...scenarios, connections: count(flags, 'connections') });
    },
  },
  crowded: {
    measures: 'key-auth and forward with 1,000,000 keys and 100,000 routes, beside one of each',
    flags: '--rounds 5 --seconds 4 --connections 32',
    async run(flags) {
      const { crowdedBench } = await import('./crowded.ts');
      const size = { rounds: count(flags, 'rounds'), seconds: count(flags, 'seconds') };
      return crowdedBench({ ...size, connections: count(flags, 'connections') });
    },
  },
  soak: {
    measures: 'wrong answers, p99 and memory under load while keys, routes, endpoints and a certificate change',
    flags: '--minutes 5 --rate 2000|full --kill-workers',
    async run(flags) {
      const { soakBench } = await import('./soak.ts');
      const perSecond = flags.rate === 'full' ? undefined : wholeNumber('rate', flags.rate);
      return soakBench({ minutes: count(flags, 'minutes'), perSecond, killsWorkers: flags['kill-workers'] });
    },
  },
  memory: {
    measures: 'resident memory of two workers with an empty table, and of idle connections, beside nginx and Traefik',
    flags: '--starts 3 --idle-connections 5000 --peers latchkey,nginx,…',
    async run(flags) {
      const { memoryBench } = await import('./memory.ts');
      const peers = flags.peers === undefined ? {} : { peers: flags.peers.split(',') };
      return memoryBench({ ...peers, starts: count(flags, 'starts'), connections: count(flags, 'idle-connections') });
    },
  },
  peers: {
    measures: 'nothing: builds Caddy and Traefik, which the bench of the proxy then measures too',
    flags: '',
    async run() {
      const { buildGoPrograms, goPrograms } = await import('./peers/go-programs.ts');
      await buildGoPrograms();
      return reportOf('peers', { built: 'caddy, traefik', folder: goPrograms });
    },
  },
  propagation: {
    measures: 'from a YAML edit to its enforcement on every worker, with 1,000 Ingresses and 1,000 consumers',
    flags: '--edits 200',
    async run(flags) {
      const { propagationBench } = await import('./propagation.ts');
      return propagationBench({ edits: count(flags, 'edits') });
    },
  },
  start: {
    measures: 'from npm start to the first proxied request',
    flags: '--runs 5',
    async run(flags) {
      const { startBench } = await import('./start.ts');
      return startBench({ runs: count(flags, 'runs') });
    },
  },
  cluster: {
    measures: 'a real API server and etcd with 1,000 Ingresses and 10,000 consumers: propagation, start, status',
    flags: `--part start,propagation,status,burst,routes,kong-test --ingresses 1000 --consumers 10000 --changes 500
      --status-changes 100 --burst 1000 --routes 100 --starts 3 --sizes 1000,2500,5000,10000 --node-flags '--cpu-prof'`,
    async run(flags) {
      const { clusterBench, clusterParts } = await import('./cluster.ts');
      return clusterBench({
        parts: partsOf(flags, clusterParts),
        size: { ingresses: count(flags, 'ingresses'), consumers: count(flags, 'consumers') },
        changes: count(flags, 'changes'),
        statusChanges: count(flags, 'status-changes'),
        burst: count(flags, 'burst'),
        newRoutes: count(flags, 'routes'),
        starts: count(flags, 'starts'),
        kongSizes: flags.sizes.split(',').map((text) => wholeNumber('sizes', text)),
        nodeFlags: flags['node-flags'].split(' ').filter(Boolean),
      });
    },
  },
  scale: {
    measures: 'translate and table with 100,000 Ingresses and 1,000,000 consumers: time, memory, cost of a change',
    flags: '--ingresses 100000 --consumers 1000000 --changes 500',
    async run(flags) {
      const { scaleBench } = await import('./scale.ts');
      const of = (name: 'ingresses' | 'consumers', usual: number) =>
        flags[name] === defaults[name].default ? usual : wholeNumber(name, flags[name]);
      const size = { ingresses: of('ingresses', 100_000), consumers: of('consumers', 1_000_000) };
      return scaleBench({ ...size, changes: count(flags, 'changes') });
    },
  },
  router: {
    measures: 'a match and a change with 10, 1,000 and 100,000 routes, and their memory',
    flags: '',
    async run() {
      const { routerBench } = await import('./router.ts');
      return routerBench();
    },
  },
  'credential-index': {
    measures: 'speed and memory of the credential index with up to 1,000,000 keys',
    flags: '',
    async run() {
      const { credentialIndexBench } = await import('./credential-index.ts');
      return reportOf('credential index', await credentialIndexBench());
    },
  },
};

/** A report of a bench that yields nothing but facts. */
function reportOf(title: string, facts: Record<string, unknown>): BenchReport {
  const cell = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  const rows = Object.entries(facts).map(([name, value]) => [name, cell(value)]);
  return { tables: [{ title, columns: ['figure', 'value'], rows }], facts, failures: [] };
}

function usage(): string {
  const lines = Object.entries(benches).flatMap(([name, bench]) => [
    `  ${name}`,
    `      ${bench.measures}`,
    ...(bench.flags === '' ? [] : [`      ${bench.flags}`]),
  ]);
  return `npm run bench -- <name> [--json] [flags]\n\n${lines.join('\n')}\n`;
}

/** Runs a bench and gives the exit code: 1 if its figures mean nothing. */
async function runBench(name: string, bench: Bench, flags: Flags): Promise<number> {
  const { tables, facts, failures } = await bench.run(flags);
  const summary = { bench: name, ok: failures.length === 0, failures, ...facts };
  if (flags.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else process.stdout.write(`\n${tables.map((table) => renderTable(table)).join('\n')}`);
  for (const failure of failures) progress(`FAILED: ${failure}`);
  if (failures.length > 0) progress('THESE FIGURES MEAN NOTHING: see the failures above.');
  return failures.length === 0 ? 0 : 1;
}

/** Gives the exit code; 2 for a wrong call. */
async function main(): Promise<number> {
  let call: ReturnType<typeof parse>;
  try {
    call = parse();
  } catch (error) {
    progress(`bench: ${(error as Error).message}`);
    return 2;
  }
  const { values, positionals } = call;
  const [name, ...more] = positionals;
  if (values.help || name === undefined) {
    process.stdout.write(usage());
    return 0;
  }
  const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (bench !== undefined && more.length === 0) return runBench(name, bench, values);
  progress(`bench: no bench ${positionals.join(' ')}; there are ${Object.keys(benches).join(', ')}`);
  return 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  progress(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
}
// Whatever a bench started and did not stop ends with this process; output to a pipe is written first.
process.stdout.write('', () => process.exit());
