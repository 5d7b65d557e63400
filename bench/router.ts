/**
 * The router of a worker with 10, 1,000 and 100,000 routes: time of a match, of a change of one Ingress, and memory.
 *
 * Routes are a mix: by element mostly, exact, by character, regular expressions, two that share a path by their
 * methods, one that wants a header; one host in twenty is a wildcard. Hosts and paths of requests are made afresh
 * from bytes for each match, as the parser makes them: nobody has hashed them yet. That time is included.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRouter } from '#gateway/match.ts';
import type { RequestTraits } from '#gateway/route-conditions.ts';
import { createServedTable } from '#gateway/served-table.ts';
import type { PathMatch, RouteEntry } from '#table/route-entry.ts';
import type { BenchReport } from './report.ts';
import { quantile } from './statistics.ts';
import type { Table } from './table.ts';

const sizes = [10, 1_000, 100_000] as const;
const maxHosts = 10_000;
const routesOfHost = 10;
const matches = 400_000;
const rounds = 5;
const changes = 2_000;
/** Coprime to every number of routes here: steps through them in an order that no cache foresees. */
const stride = 61_803;
const matchTargetUs = 2;
const patchTargetMs = 1;

const isWildcard = (host: number): boolean => host % 20 === 19;
const hostName = (host: number): string => `${isWildcard(host) ? '*' : 'api'}.tenant-${host}.example.com`;

/** What is special about the tenth of a host's routes that a route is in; the other six are by element. */
const sorts: readonly ((place: string) => Partial<RouteEntry> & { readonly path: PathMatch })[] = [
  (place) => ({ path: { type: 'exact', value: `/${place}/health` } }),
  (place) => ({ path: { type: 'string-prefix', value: `/${place}/v` } }),
  (place) => ({ path: { type: 'regex', value: `/${place}/items/[0-9]+/(parts|prices)` } }),
  (place) => ({ path: { type: 'prefix', value: `/${place}/orders` }, methods: ['GET', 'HEAD'] }),
  // The same path as the one before.
  (place) => ({ path: { type: 'prefix', value: `/${place}/orders` }, methods: ['POST'] }),
  (place) => ({
    path: { type: 'prefix', value: `/${place}/beta` },
    headers: [{ name: 'x-beta', values: ['yes'] }],
  }),
];

/** Route `i` of a table with so many hosts. */
function routeAt(i: number, hosts: number): RouteEntry {
  const nth = Math.floor(i / hosts);
  const place = `service-${nth < 3 ? nth : nth < 6 ? 3 : nth}`;
  const special = sorts[nth] ?? ((where: string) => ({ path: { type: 'prefix', value: `/${where}` } as const }));
  // Texts in one piece, as a patch brings them.
  return JSON.parse(
    JSON.stringify({
      kind: 'route',
      key: `route:default/ingress-${i}/0/0`,
      name: `default/ingress-${i}`,
      host: hostName(i % hosts),
      rank: `2026-01-01T00:00:00Z|default/ingress-${i}|0000/0000`,
      service: 'service:default/echo/80',
      plugins: [{ type: 'key-auth', candidates: [{ key: 'plugin:default/key-auth', scope: 'route' }] }],
      stripPath: false,
      preserveHost: true,
      ...special(place),
    }),
  ) as RouteEntry;
}

const endings: Readonly<Record<number, string>> = {
  0: '/health',
  1: '/v2/things',
  2: '/items/1234/parts',
  3: '/orders/77/lines',
  4: '/orders',
  5: '/beta/a',
};

const plain: RequestTraits = { method: 'GET', headersDistinct: {}, socket: {} };
const posted: RequestTraits = { ...plain, method: 'POST' };
const beta: RequestTraits = { ...plain, headersDistinct: { 'x-beta': ['yes'] } };

interface Asked {
  readonly host: string;
  readonly path: string;
  readonly traits: RequestTraits;
}

/** A request that route `i` takes. */
function hitOf(i: number, hosts: number): Asked {
  const nth = Math.floor(i / hosts);
  const place = nth < 3 ? nth : nth < 6 ? 3 : nth;
  const traits = nth === 4 ? posted : nth === 5 ? beta : plain;
  return {
    host: hostName(i % hosts).replace('*', 'customer'),
    path: `/service-${place}${endings[nth] ?? '/users/4711/profile'}`,
    traits,
  };
}

/** One that none takes: for every other a path that the host lacks, else a host that nobody has. */
function missOf(i: number, hosts: number): Asked {
  const { host, traits } = hitOf(i, hosts);
  return i % 2 === 0
    ? { host, path: '/no/such/thing/here', traits }
    : { host: `nobody.${host}`, path: '/service-7/users', traits };
}

/**
 * Requests as bytes one behind the other, to make their texts from, and where each begins: what the bench itself
 * reads in each step lies together, so that the caches are the router's.
 */
function asBytes(all: readonly Asked[]) {
  const bytes = Buffer.from(all.map(({ host, path }) => host + path).join(''), 'latin1');
  const starts = new Uint32Array(all.length * 2 + 1);
  let at = 0;
  all.forEach(({ host, path }, i) => {
    starts[i * 2 + 1] = at + host.length;
    at += host.length + path.length;
    starts[i * 2 + 2] = at;
  });
  const text = (i: number): string => bytes.toString('latin1', starts[i], starts[i + 1]);
  return { host: (i: number) => text(i * 2), path: (i: number) => text(i * 2 + 1) };
}

type Router = ReturnType<typeof createRouter>;

/** Nanoseconds of CPU a match, the median of the rounds, after one to warm up. @throws Error on a wrong answer */
function matchNs(router: Router, all: readonly Asked[], expected: readonly (RouteEntry | undefined)[]): number {
  const texts = asBytes(all);
  const times: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    let wrong = 0;
    const started = process.threadCpuUsage();
    for (let n = 0; n < matches; n += 1) {
      const i = (n * stride) % all.length;
      const found = router.match(texts.host(i), texts.path(i), all[i]?.traits ?? plain);
      if (found?.route !== expected[i]) wrong += 1;
    }
    const { user, system } = process.threadCpuUsage(started);
    if (round > 0) times.push(((user + system) * 1e3) / matches);
    if (wrong > 0) throw new Error(`${wrong} matches gave the wrong route`);
  }
  return Math.round(quantile(times, 0.5));
}

function measureSize(size: number) {
  const hosts = Math.min(maxHosts, size / routesOfHost);
  const routes = Array.from({ length: size }, (_, i) => routeAt(i, hosts));
  const router = createRouter();
  const served = routes.map((route) => router.add(route));
  const hits = routes.map((_, i) => hitOf(i, hosts));
  const misses = routes.map((_, i) => missOf(i, hosts));
  return {
    routes: size,
    hosts,
    hitNs: matchNs(router, hits, served),
    missNs: matchNs(router, misses, []),
  };
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Bytes of heap that a worker's table takes for a route. */
function measureMemory(size: number) {
  const before = heapBytes();
  const table = createServedTable();
  for (let i = 0; i < size; i += 1) table.apply({ number: i, remove: [], put: [routeAt(i, maxHosts)] });
  const bytes = heapBytes() - before;
  if (table.match('nobody', '/', plain) !== undefined) throw new Error('a route for nobody');
  return { tableMB: Math.round(bytes / 1e5) / 10, bytesOfRoute: Math.round(bytes / size) };
}

/** An Ingress of so many routes leaves a worker's table and comes back, again and again. */
function measurePatches(size: number, routesOfIngress: number) {
  const table = createServedTable();
  const routes = Array.from({ length: size }, (_, i) => routeAt(i, maxHosts));
  table.apply({ number: 1, remove: [], put: routes });
  const times: number[] = [];
  for (let n = 0; n < changes; n += 1) {
    const put = Array.from({ length: routesOfIngress }, (_, i) => routeAt((n * stride + i) % size, maxHosts));
    const startedAt = performance.now();
    table.apply({ number: 2, remove: put.map(({ key }) => key), put: [] });
    table.apply({ number: 3, remove: [], put });
    times.push(performance.now() - startedAt);
  }
  const us = (q: number): number => Math.round(quantile(times, q) * 1e4) / 10;
  return { p50Us: us(0.5), p99Us: us(0.99), maxUs: us(1) };
}

/** Routes by character of one host without names: the most that one host can hold. */
function measureCrowdedHost(size: number) {
  const table = createServedTable();
  const routes = Array.from({ length: size }, (_, i): RouteEntry => ({
    ...routeAt(i, maxHosts),
    host: '',
    path: { type: 'string-prefix', value: `/crowd/${i}/` },
  }));
  table.apply({ number: 1, remove: [], put: routes });
  const times: number[] = [];
  for (let n = 0; n < 200; n += 1) {
    const route = routes[(n * stride) % size] as RouteEntry;
    const startedAt = performance.now();
    table.apply({ number: 2, remove: [route.key], put: [] });
    table.apply({ number: 3, remove: [], put: [route] });
    times.push(performance.now() - startedAt);
  }
  return { p50Us: Math.round(quantile(times, 0.5) * 1e4) / 10, p99Us: Math.round(quantile(times, 0.99) * 1e4) / 10 };
}

const met = (isMet: boolean, target: string): string => `${isMet ? 'met' : 'MISSED'}: ${target}`;
const microseconds = (ns: number): string => (ns / 1e3).toFixed(2);

function matchTable(bySize: readonly ReturnType<typeof measureSize>[]): Table {
  const at = (size: number) => bySize.find(({ routes }) => routes === size) ?? { hitNs: NaN, missNs: NaN };
  const medium = at(1_000);
  const large = at(100_000);
  const growth = Math.max(large.hitNs / medium.hitNs, large.missNs / medium.missNs);
  return {
    title: 'a match',
    columns: ['routes', 'hosts', 'hit µs', 'miss µs'],
    rows: bySize.map(({ routes, hosts, hitNs, missNs }) => [
      routes.toLocaleString('en'),
      hosts.toLocaleString('en'),
      microseconds(hitNs),
      microseconds(missNs),
    ]),
    notes: [
      met(Math.max(medium.hitNs, medium.missNs) / 1e3 < matchTargetUs, `under ${matchTargetUs} µs at 1,000 routes`),
      met(growth <= 2, `at 100,000 no more than twice that (${growth.toFixed(2)} ×)`),
    ],
  };
}

/** Measures; a wrong route is an error, a missed target a line below the table. */
export async function routerBench(): Promise<BenchReport> {
  const bySize = sizes.map(measureSize);
  const memory = measureMemory(100_000);
  const patch = measurePatches(100_000, 4);
  const crowded = measureCrowdedHost(100_000);
  const rows = Object.entries({ '4 routes among 10,000 hosts': patch, '1 route of a host that has all': crowded });
  const patches: Table = {
    title: 'an Ingress leaves a table of 100,000 routes and comes back',
    columns: ['what', 'p50 µs', 'p99 µs'],
    rows: rows.map(([what, { p50Us, p99Us }]) => [what, String(p50Us), String(p99Us)]),
    notes: [
      met(Math.max(patch.p99Us, crowded.p99Us) < patchTargetMs * 1e3, `p99 under ${patchTargetMs} ms`),
      `heap of a worker's table with 100,000 routes: ${memory.tableMB} MB, ${memory.bytesOfRoute} bytes a route`,
    ],
  };
  return { tables: [matchTable(bySize), patches], facts: { bySize, memory, patch, crowded }, failures: [] };
}
