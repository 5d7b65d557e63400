/**
 * Resident memory: of two workers with nothing to serve, and of each idle connection of a client.
 *
 * A connection counts once it has asked and was answered by the upstream, as every kept one has. What the kernel
 * holds for it is not resident in a process and not counted.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { untilAnswers } from './ask.ts';
import { writeCertificate } from './certificate-files.ts';
import { figuresTable } from './cluster/figures.ts';
import { shareCores } from './cores.ts';
import { freePort } from '../test/support/free-port.ts';
import { makeKeyring, startGateway, type Keyring, type Place, type StartedGateway } from './gateway.ts';
import { askOften, keepConnections, type Question } from './kept-connections.ts';
import { latchkeyCommand } from './latchkey-command.ts';
import { installedPeers } from './peers/all-peers.ts';
import type { Peer } from './peers/peer.ts';
import { startProcess } from './process.ts';
import { progress, type BenchReport } from './report.ts';
import { residentMemory, treeResidentMB, type ResidentMemory } from './resident-memory.ts';
import { scratchDirectory } from './scratch.ts';
import type { Table } from './table.ts';
import { startUpstream, upstreamBody } from './upstream.ts';

export interface MemoryOptions {
  /** Idle connections. */
  readonly connections: number;
  /** Starts with an empty table that are measured. */
  readonly starts: number;
  /** Names of peers; absent: ours, nginx and Traefik. */
  readonly peers?: readonly string[];
}

const workers = 2;
const targetMB = 150;
const targetKB = 10;
const usualPeers = ['latchkey', 'nginx', 'Traefik'];
/** Requests before anything is measured: compilers and pools are not what a connection costs. */
const warmUps = 20_000;
/** How long a gateway may put its memory in order before it is looked at. */
const settleMs = 5_000;
const protocols = ['http', 'https'] as const;

/** Everything listens that listens when no flag says otherwise. */
async function startEmpty(): Promise<ResidentMemory> {
  const [port, httpsPort, status, admin] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const flags = ['--status-listen', `127.0.0.1:${status}`, '--admin-listen', `127.0.0.1:${admin}`];
  const running = startProcess(latchkeyCommand({ dir: scratchDirectory(), port, httpsPort, workers, flags }));
  await untilAnswers(running, { url: `http://127.0.0.1:${status}/readyz`, everyMs: 50, deadlineMs: 20_000 });
  await pause(settleMs);
  const memory = residentMemory(running.pid);
  await running.stop();
  return memory;
}

/**
 * Several starts, each measured. One before them fills the cache of compiled code, which is filled in the image: what is
 * not in it has to have its types stripped, and that takes memory.
 */
async function emptyTable(starts: number): Promise<readonly ResidentMemory[]> {
  await startEmpty();
  const measured: ResidentMemory[] = [];
  for (let n = 1; n <= starts; n += 1) {
    progress(`empty table, start ${n} of ${starts}`);
    measured.push(await startEmpty());
  }
  return measured;
}

interface Measured {
  readonly name: string;
  readonly protocol: (typeof protocols)[number];
  readonly beforeMB: number;
  readonly withThemMB: number;
  readonly eachKB: number;
  /** Connections that the gateway closed meanwhile. */
  readonly lost: number;
}

async function measureConnections(gateway: StartedGateway, question: Question, count: number) {
  await askOften(question, warmUps);
  await pause(settleMs);
  const beforeMB = treeResidentMB(gateway.pid);
  const kept = await keepConnections(question, count);
  await pause(settleMs);
  const withThemMB = treeResidentMB(gateway.pid);
  const lost = count - kept.open();
  kept.close();
  return { beforeMB, withThemMB, eachKB: ((withThemMB - beforeMB) * 1_000) / count, lost };
}

/** A gateway that was started for this alone: what others left free in its memory would take connections in unseen. */
async function measurePeer(
  peer: Peer,
  protocol: Measured['protocol'],
  {
    keyring,
    place,
    count,
  }: {
    readonly keyring: Keyring;
    readonly place: Place;
    readonly count: number;
  },
): Promise<Measured> {
  progress(`${peer.name}, ${protocol}`);
  const gateway = await startGateway(peer, keyring, place);
  const url = protocol === 'http' ? gateway.url : gateway.httpsUrl;
  const question = { url, key: keyring.key, answer: upstreamBody };
  const measured = await measureConnections(gateway, question, count);
  await gateway.stop();
  return { name: peer.name, protocol, ...measured };
}

function connectionsTable(measured: readonly Measured[], count: number): Table {
  const own = measured.find(({ name, protocol }) => name === 'latchkey' && protocol === 'http')?.eachKB;
  const verdict = (eachKB: number): string =>
    `${eachKB <= targetKB ? 'met' : 'MISSED'}: at most ${targetKB} KB for an idle connection without TLS (${eachKB.toFixed(1)})`;
  return {
    title: `${count.toLocaleString('en')} idle connections`,
    columns: ['gateway', 'protocol', 'before MB', 'with them MB', 'KB each'],
    rows: measured.map(({ name, protocol, beforeMB, withThemMB, eachKB }) => [
      name,
      protocol,
      beforeMB.toFixed(0),
      withThemMB.toFixed(0),
      eachKB.toFixed(1),
    ]),
    notes: [
      `${workers} workers; of gateways of several processes all, what they share as often as they are`,
      ...(own === undefined ? [] : [verdict(own)]),
    ],
  };
}

/** Runs the bench `memory`. */
export async function memoryBench({ connections, starts, peers = usualPeers }: MemoryOptions): Promise<BenchReport> {
  const empty = await emptyTable(starts);
  const most = Math.max(...empty.map(({ nowMB }) => nowMB));
  const cores = shareCores();
  const place = { upstream: await startUpstream(cores), cores, workers, certificate: await writeCertificate() };
  const given = { keyring: makeKeyring(1), place, count: connections };
  const { installed, missing } = installedPeers(peers);
  const measured: Measured[] = [];
  for (const protocol of protocols)
    for (const peer of installed) measured.push(await measurePeer(peer, protocol, given));
  const figures = [
    { name: 'resident, the most of all starts', unit: 'MB', value: most, target: targetMB },
    { name: 'resident, the least', unit: 'MB', value: Math.min(...empty.map(({ nowMB }) => nowMB)) },
    { name: 'resident at most, while starting', unit: 'MB', value: Math.max(...empty.map(({ peakMB }) => peakMB)) },
  ] as const;
  const notes = missing.length === 0 ? [] : [`left out, because not installed: ${missing.join(', ')}`];
  return {
    tables: [
      figuresTable(`${workers} workers and an empty table, ${starts} starts`, figures, notes),
      connectionsTable(measured, connections),
    ],
    facts: { workers, connections, empty, measured, leftOut: missing },
    failures: measured
      .filter(({ lost }) => lost > 0)
      .map(({ name, protocol, lost }) => `${name} closed ${lost} idle connections (${protocol})`),
  };
}
