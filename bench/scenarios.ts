/** What the proxy bench can measure. */
import { streamsOfConnection } from './h2load.ts';
import { largePath } from './upstream.ts';

/** What ours should come to, beside a peer in the same rounds. */
export interface Target {
  readonly peer: string;
  /** Requests a second, as a ratio. */
  readonly rate?: number;
  /** No worse than the peer's. */
  readonly p99?: true;
}

export interface Scenario {
  /** In `--scenario`. */
  readonly name: string;
  readonly title: string;
  /** Whether it is measured when none is named. */
  readonly isMain: boolean;
  /** Of each gateway; with more than one all share the cores. */
  readonly workers: 1 | 2;
  readonly protocol: 'http' | 'https' | 'h2';
  readonly hasKey: boolean;
  /** Below `/bench`; itself when absent. */
  readonly path?: string;
  /** Those of the flag when absent. */
  readonly connections?: number;
  /** The peers that can; all when absent. */
  readonly peers?: readonly string[];
  readonly targets: readonly Target[];
}

const usual = { isMain: true, workers: 1, protocol: 'http', hasKey: true, targets: [] } as const;

const scenarios: readonly Scenario[] = [
  {
    ...usual,
    name: 'key-auth',
    title: 'key-auth and forward',
    targets: [
      { peer: 'Traefik', rate: 1.5, p99: true },
      { peer: 'Caddy', rate: 2, p99: true },
      { peer: 'nginx', rate: 0.6 },
    ],
  },
  { ...usual, name: '401', title: '401 without a key', hasKey: false, targets: [{ peer: 'nginx', rate: 0.6 }] },
  { ...usual, name: 'tls', title: 'key-auth and forward over TLS', protocol: 'https' },
  { ...usual, name: '64k', title: 'an answer of 64 KiB', isMain: false, path: largePath },
  { ...usual, name: '1000-connections', title: 'key-auth and forward', isMain: false, connections: 1_000 },
  {
    ...usual,
    name: 'h2',
    title: `HTTP/2 over TLS, ${streamsOfConnection} requests at a time on a connection`,
    isMain: false,
    protocol: 'h2',
    peers: ['latchkey', 'nginx', 'HAProxy', 'Traefik', 'Caddy'],
  },
  { ...usual, name: '2-workers', title: 'key-auth and forward, 2 workers each', isMain: false, workers: 2 },
];

/** Those that are named, or the main ones. @throws Error if a name is none */
export function chooseScenarios(names: readonly string[] | undefined): readonly Scenario[] {
  if (names === undefined) return scenarios.filter(({ isMain }) => isMain);
  if (names.includes('all')) return scenarios;
  const unknown = names.find((name) => !scenarios.some((scenario) => scenario.name === name));
  const known = scenarios.map(({ name }) => name).join(', ');
  if (unknown !== undefined) throw new Error(`--scenario: there are ${known} and all, got ${unknown}`);
  return scenarios.filter(({ name }) => names.includes(name));
}
