/** The router against a matcher that is plain, slow and obviously right: all routes in the written order. */
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { createRouter } from '#gateway/match.ts';
import type { RequestTraits } from '#gateway/route-conditions.ts';
import type { HeaderMatch, PathMatch, RouteEntry } from '#table/route-entry.ts';

interface Asked {
  readonly host: string;
  readonly path: string;
  readonly request: RequestTraits;
}

const plain: RequestTraits = { method: 'GET', headersDistinct: {}, socket: {} };

/* The plain matcher: no data structure, each rule as docs/routing.md says it. */

const oneLabelLess = (host: string): string => `*${host.slice(host.indexOf('.'))}`;

function hostPlace(route: RouteEntry, host: string): number | undefined {
  if (route.path.type === 'default') return 3;
  if (route.host === '') return 2;
  if (route.host === host) return 0;
  return host.indexOf('.') > 0 && route.host === oneLabelLess(host) ? 1 : undefined;
}

function elementsOf(path: string): string[] {
  return path.split('/').filter((element) => element !== '');
}

/** How a path is taken: its place among the sorts of paths, then what is larger first. */
function pathPlace(match: PathMatch, path: string): readonly number[] | undefined {
  switch (match.type) {
    case 'default':
      return [3, 0, 0];
    case 'exact':
      return match.value === path ? [0, 0, 0] : undefined;
    case 'regex':
      return RE2JS.compile(match.value).matcher(path).lookingAt() ? [1, -match.value.length, 0] : undefined;
    case 'string-prefix':
      return path.startsWith(match.value) ? [2, -match.value.length, 1] : undefined;
    case 'prefix': {
      const wanted = elementsOf(match.value);
      const has = elementsOf(path);
      return wanted.every((element, i) => has[i] === element) ? [2, -match.value.length, 0] : undefined;
    }
  }
}

const holdsHeader = (match: HeaderMatch, { headersDistinct }: RequestTraits): boolean =>
  (headersDistinct[match.name] ?? []).some((value) =>
    'regex' in match ? new RegExp(match.regex, 'i').test(value) : match.values.includes(value.toLowerCase()),
  );

function wants({ methods, headers, snis }: RouteEntry, request: RequestTraits): boolean {
  const { encrypted, servername } = request.socket;
  const isSni =
    encrypted !== true || snis === undefined || (typeof servername === 'string' && snis.includes(servername));
  return (
    (methods === undefined || methods.includes(request.method ?? '')) &&
    (headers ?? []).every((match) => holdsHeader(match, request)) &&
    isSni
  );
}

const conditionsPlace = ({ headers = [], methods, snis }: RouteEntry): number[] => [
  -headers.length,
  methods === undefined ? 1 : 0,
  snis === undefined ? 1 : 0,
];

function placeOf(route: RouteEntry, { host, path, request }: Asked): readonly (number | string)[] | undefined {
  const ofHost = hostPlace(route, host);
  const ofPath = pathPlace(route.path, path);
  if (ofHost === undefined || ofPath === undefined || !wants(route, request)) return undefined;
  const [sort = 0, length = 0, kind = 0] = ofPath;
  const priority = route.path.type === 'regex' ? -(route.regexPriority ?? 0) : 0;
  return [ofHost, sort, priority, length, kind, ...conditionsPlace(route), route.rank, route.key];
}

const before = (a: readonly (number | string)[], b: readonly (number | string)[]): boolean => {
  const i = a.findIndex((value, at) => value !== b[at]);
  return i !== -1 && (a[i] ?? '') < (b[i] ?? '');
};

function plainMatch(routes: Iterable<RouteEntry>, asked: Asked): string | undefined {
  let best: { readonly key: string; readonly place: readonly (number | string)[] } | undefined;
  for (const route of routes) {
    const place = placeOf(route, asked);
    if (place !== undefined && (best === undefined || before(place, best.place))) best = { key: route.key, place };
  }
  return best?.key;
}

/* Few hosts, paths and values, so that routes meet each other and requests meet routes. */

const path = fc
  .array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 3 })
  .chain((elements) =>
    fc.constantFrom(`/${elements.join('/')}`, elements.length === 0 ? '/' : `/${elements.join('/')}/`),
  );
const withoutSlash = path.map((text) => (text.length > 1 && text.endsWith('/') ? text.slice(0, -1) : text));

const pathMatch: fc.Arbitrary<PathMatch> = fc.oneof(
  path.map((value): PathMatch => ({ type: 'exact', value })),
  withoutSlash.map((value): PathMatch => ({ type: 'prefix', value })),
  path.map((value): PathMatch => ({ type: 'string-prefix', value })),
  fc
    .constantFrom('/a', '/[ab]', '/a/.*', '/(?:a|b)b?/', '/b|/a', '/ab*', '/ab{0}/', '(?i)/A')
    .map((value): PathMatch => ({ type: 'regex', value })),
  fc.constant<PathMatch>({ type: 'default' }),
);

const header: fc.Arbitrary<HeaderMatch> = fc.oneof(
  fc.record({ name: fc.constantFrom('x-a', 'x-b'), values: fc.subarray(['1', '2'], { minLength: 1 }) }),
  fc.record({ name: fc.constantFrom('x-a', 'x-b'), regex: fc.constantFrom('^1$', '[23]', 'q') }),
);

const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 });

const route: fc.Arbitrary<Omit<RouteEntry, 'key'>> = fc
  .record({
    host: fc.constantFrom('', 'a.example', 'b.example', '*.example', '*.a.example'),
    path: pathMatch,
    methods: optional(fc.subarray(['GET', 'POST'], { minLength: 1 })),
    headers: optional(fc.array(header, { minLength: 1, maxLength: 2 })),
    snis: optional(fc.constantFrom(['a.example'], ['b.example', 'a.example'])),
    regexPriority: optional(fc.integer({ min: 0, max: 2 })),
    rank: fc.constantFrom('2020', '2021', '2022'),
  })
  .map((fields) => {
    const stated = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const rest = { kind: 'route', name: 'r', service: 's', plugins: [], stripPath: false, preserveHost: true };
    return { ...rest, ...stated } as unknown as Omit<RouteEntry, 'key'>;
  });

const table = fc
  .array(route, { maxLength: 25 })
  .map((routes) => routes.map((fields, i): RouteEntry => ({ ...fields, key: `route:${i}` })));

const asked: fc.Arbitrary<Asked> = fc.record({
  host: fc.constantFrom('', 'a.example', 'b.example', 'x.a.example', 'x.y.example', 'localhost'),
  path,
  request: fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT'),
    headersDistinct: fc.dictionary(
      fc.constantFrom('x-a', 'x-b'),
      fc.array(fc.constantFrom('1', '2', '3', 'Q'), { maxLength: 2 }),
    ),
    socket: fc.oneof(
      fc.constant({}),
      fc.record({
        encrypted: fc.constant(true),
        servername: fc.constantFrom('a.example', 'b.example', false as const),
      }),
    ),
  }),
});

const matchKey = (
  router: ReturnType<typeof createRouter>,
  { host, path: asPath, request }: Asked,
): string | undefined => router.match(host, asPath, request)?.route.key;

describe('the order of routes', () => {
  test('is that of the plain matcher', () => {
    fc.assert(
      fc.property(table, fc.array(asked, { minLength: 1, maxLength: 10 }), (routes, requests) => {
        const router = createRouter();
        for (const entry of routes) router.add(entry);
        for (const one of requests) expect(matchKey(router, one)).toBe(plainMatch(routes, one));
      }),
      { numRuns: 1_000 },
    );
  });

  test('stays that of the plain matcher while routes come and go, in whatever order', () => {
    fc.assert(
      fc.property(
        table,
        fc.array(fc.nat({ max: 24 }), { maxLength: 60 }),
        fc.array(asked, { maxLength: 5 }),
        (routes, toggles, requests) => {
          const router = createRouter();
          const present = new Map<string, RouteEntry>();
          for (const i of toggles) {
            const entry = routes[i];
            if (entry === undefined) continue;
            if (present.delete(entry.key)) router.remove(entry);
            else {
              present.set(entry.key, entry);
              router.add(entry);
            }
          }
          for (const one of requests) expect(matchKey(router, one)).toBe(plainMatch(present.values(), one));
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('any host, path and expression is answered, and in linear time', () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ unit: 'binary' }), (host, anyPath) => {
      const router = createRouter();
      router.add(entryAt({ type: 'prefix', value: '/' }));
      router.add({ ...entryAt({ type: 'regex', value: '/(a+)+$' }), key: 'route:regex' });
      expect(() => router.match(host, anyPath, plain)).not.toThrow();
    }),
  );
  const router = createRouter();
  router.add(entryAt({ type: 'regex', value: '/(a+)+$' }));
  const startedMs = process.cpuUsage().user;
  expect(router.match('', `/${'a'.repeat(50_000)}b`, plain)).toBeUndefined();
  // Backtracking would take longer than the universe is old.
  expect(process.cpuUsage().user - startedMs).toBeLessThan(20e6);
});

test('any text that is an expression can be a route', () => {
  const paths = fc.constantFrom('/', '/a', '/ab/c', '/%2Fa', '//', '');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), paths, (value, anyPath) => {
      if (!isExpression(value)) return;
      const router = createRouter();
      const entry = entryAt({ type: 'regex', value });
      router.add(entry);
      const isTaken = RE2JS.compile(value).matcher(anyPath).lookingAt();
      expect(router.match('', anyPath, plain)?.route.key).toBe(isTaken ? entry.key : undefined);
      router.remove(entry);
      expect(router.match('', anyPath, plain)).toBeUndefined();
    }),
  );
});

test('what strip-path takes away is what the path took', () => {
  const taken = (match: PathMatch, of: string) => {
    const router = createRouter();
    router.add(entryAt(match));
    return router.match('', of, plain)?.matchedLength;
  };
  expect(taken({ type: 'exact', value: '/a' }, '/a')).toBe(2);
  expect(taken({ type: 'prefix', value: '/a' }, '/a/b')).toBe(2);
  expect(taken({ type: 'prefix', value: '/' }, '/a/b')).toBe(1);
  expect(taken({ type: 'string-prefix', value: '/a' }, '/abc')).toBe(2);
  expect(taken({ type: 'regex', value: '/a[bc]' }, '/abc')).toBe(3);
  expect(taken({ type: 'default' }, '/abc')).toBe(0);
});

function isExpression(text: string): boolean {
  try {
    RE2JS.compile(text);
    return true;
  } catch {
    return false;
  }
}

function entryAt(match: PathMatch): RouteEntry {
  return {
    kind: 'route',
    key: 'route:1',
    name: 'r',
    host: '',
    path: match,
    rank: '',
    service: 's',
    plugins: [],
    stripPath: false,
    preserveHost: true,
  };
}
