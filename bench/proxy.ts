/**
 * Key-auth and forward, beside other gateways.
 *
 *   load generator (core 1) ──▶ gateway (core 0) ──▶ upstream (core 1)
 *
 * All gateways run all the time, one is under load at a time, each once a round. What counts is the ratio of
 * two gateways in the same round; absolute figures tell more about the machine. With two workers a gateway
 * needs both cores, and the others share them with it.
 */
import { cpus } from 'node:os';
import { writeCertificate, type CertificateFiles } from './certificate-files.ts';
import { divideCores, shareCores, type Cores } from './cores.ts';
import { makeKeyring, startGateway, type Gateway, type Keyring, type StartedGateway } from './gateway.ts';
import { h2loadGenerator } from './h2load.ts';
import { loadGenerator } from './load.ts';
import { installedPeers } from './peers/all-peers.ts';
import type { Peer } from './peers/peer.ts';
import { findProgram } from './program.ts';
import { measureRounds } from './proxy-rounds.ts';
import { summarise, tableOf, type ScenarioResult } from './proxy-table.ts';
import { progress, type BenchReport } from './report.ts';
import { chooseScenarios, type Scenario } from './scenarios.ts';
import type { Table } from './table.ts';
import { startUpstream } from './upstream.ts';

export interface ProxyOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** Names of scenarios; the main ones if absent. */
  readonly scenarios?: readonly string[];
  /** Names of peers; all that are installed if absent. */
  readonly peers?: readonly string[];
}

/** Enough that a peer that searches them one after the other would be found out. */
const keyCount = 1_000;

/** What all scenarios share. */
interface Bench {
  readonly options: ProxyOptions;
  readonly keyring: Keyring;
  readonly certificate: CertificateFiles;
  readonly peers: readonly Peer[];
  readonly leftOut: readonly string[];
}

interface Measured {
  readonly result: ScenarioResult;
  readonly table: Table;
}

/** The gateways that a scenario puts under load, by the address that it asks. */
const underLoad = ({ peers, protocol }: Scenario, gateways: readonly StartedGateway[]): Gateway[] =>
  gateways
    .filter(({ name }) => peers === undefined || peers.includes(name))
    .map((gateway) => (protocol === 'http' ? gateway : { ...gateway, url: gateway.httpsUrl }));

async function measureScenario(
  scenario: Scenario,
  { options, keyring, leftOut }: Bench,
  { gateways, cores, upstream }: { gateways: readonly StartedGateway[]; cores: Cores; upstream: string },
): Promise<Measured> {
  const { rounds, seconds } = options;
  const { connections = options.connections, hasKey, path, name } = scenario;
  const generator = scenario.protocol === 'h2' ? h2loadGenerator(cores) : loadGenerator(cores);
  const size = { connections, seconds };
  const asked = hasKey
    ? ({ headers: { apikey: keyring.key }, expectedStatus: 200 } as const)
    : ({ headers: {}, expectedStatus: 401 } as const);
  const workload = { name, ...asked, ...size, ...(path === undefined ? {} : { path }) };
  const slices = await measureRounds(underLoad(scenario, gateways), workload, { generator, rounds });
  const result = { scenario, peers: summarise(slices) };
  const atOnce = scenario.protocol === 'h2' ? `${connections} requests at a time` : `${connections} connections`;
  const notes = [
    `${rounds} rounds of ${seconds} s, ${atOnce}, ${generator.name}; upstream ${upstream}; ${cores.description}`,
    ...(leftOut.length > 0 ? [`left out, because not installed: ${leftOut.join(', ')}`] : []),
  ];
  return { result, table: tableOf(result, notes) };
}

/** Starts every gateway with so many workers, measures the scenarios that want them so, and stops them. */
async function measureStage(workers: 1 | 2, wanted: readonly Scenario[], bench: Bench): Promise<Measured[]> {
  const cores = workers === 1 ? divideCores() : shareCores();
  const upstream = await startUpstream(cores);
  const place = { upstream, cores, workers, certificate: bench.certificate };
  const gateways: StartedGateway[] = [];
  for (const peer of bench.peers) gateways.push(await startGateway(peer, bench.keyring, place));
  progress(`each authenticates, with TLS and without: ${gateways.map(({ name }) => name).join(', ')}`);
  const measured: Measured[] = [];
  for (const scenario of wanted)
    measured.push(await measureScenario(scenario, bench, { gateways, cores, upstream: upstream.name }));
  await Promise.all(gateways.map(async (gateway) => gateway.stop()));
  return measured;
}

/** A scenario whose generator is not installed is left out, unless it is one of those that were named. */
function scenariosOf(names: readonly string[] | undefined): { wanted: Scenario[]; leftOut: string[] } {
  const chosen = chooseScenarios(names);
  const isLeftOut = ({ name, protocol }: Scenario): boolean =>
    protocol === 'h2' && names?.includes(name) !== true && findProgram('h2load') === undefined;
  return {
    wanted: chosen.filter((scenario) => !isLeftOut(scenario)),
    leftOut: chosen.filter(isLeftOut).map(({ name }) => `scenario ${name} (h2load)`),
  };
}

/** Runs the bench `proxy`. */
export async function proxyBench(options: ProxyOptions): Promise<BenchReport> {
  const { installed, missing } = installedPeers(options.peers);
  const scenarios = scenariosOf(options.scenarios);
  const bench: Bench = {
    options,
    keyring: makeKeyring(keyCount),
    certificate: await writeCertificate(),
    peers: installed,
    leftOut: [...missing, ...scenarios.leftOut],
  };
  const measured: Measured[] = [];
  for (const workers of [1, 2] as const) {
    const wanted = scenarios.wanted.filter((scenario) => scenario.workers === workers);
    if (wanted.length > 0) measured.push(...(await measureStage(workers, wanted, bench)));
  }
  const { rounds, seconds, connections } = options;
  return {
    tables: measured.map(({ table }) => table),
    facts: {
      machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
      load: { connections, rounds, seconds, keys: keyCount },
      leftOut: bench.leftOut,
      scenarios: measured.map(({ result, table }) => ({ ...result, notes: table.notes })),
    },
    failures: measured.flatMap(({ result: { scenario, peers } }) =>
      peers
        .filter((peer) => peer.errors > 0)
        .map((peer) => `${scenario.name}: ${peer.name} had ${peer.errors} wrong answers or errors`),
    ),
  };
}
