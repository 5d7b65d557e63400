import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { connectKubernetes, type KubernetesConnection } from '#source/kubernetes-api.ts';
import { createListWatch, type FollowState, type ListWatch, type ListWatchTiming } from '#source/list-watch.ts';
import {
  eventLine,
  events,
  objectAt,
  page,
  refusal,
  startScriptedApiServer,
  type Step,
} from '../../support/scripted-api-server.ts';
import { until } from '../../support/until.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

interface Followed {
  /** `put a@3`, `delete a`, in the order they were told. */
  readonly told: string[];
  readonly states: FollowState[];
  readonly calls: Awaited<ReturnType<typeof startScriptedApiServer>>['calls'];
  readonly listWatch: ListWatch;
  untilTold(...wanted: readonly string[]): Promise<void>;
  untilCalled(isIt: (calls: Followed['calls']) => boolean): Promise<void>;
}

async function follow(
  script: { readonly list: readonly Step[]; readonly watch: readonly Step[] },
  timing: Partial<ListWatchTiming> = {},
): Promise<Followed> {
  const server = await startScriptedApiServer(script);
  const api: KubernetesConnection = await connectKubernetes(server.kubeconfig);
  const emitter = new EventEmitter();
  const told: string[] = [];
  const states: FollowState[] = [];
  const listWatch = createListWatch({
    api,
    path: '/api/v1/services',
    changes: (changes) => {
      for (const change of changes) {
        const { name, resourceVersion } = change.object.metadata;
        told.push(change.type === 'put' ? `put ${name}@${resourceVersion}` : `delete ${name}`);
      }
      emitter.emit('told');
    },
    state: (state) => {
      states.push(state);
      emitter.emit('told');
    },
    timing: { mostBackoffMs: 20, ...timing },
  });
  listWatch.start();
  stops.push(
    async () => server.close(),
    async () => api.close(),
    async () => listWatch.stop(),
  );
  const subscribe = (check: () => void) => {
    emitter.on('told', check);
    return () => emitter.off('told', check);
  };
  return {
    told,
    states,
    calls: server.calls,
    listWatch,
    untilTold: async (...wanted) => {
      await until({ what: wanted.join(', '), subscribe, holds: () => told.length >= wanted.length });
      expect(told).toEqual(wanted);
    },
    untilCalled: async (isIt) => {
      await until({ what: 'a call', subscribe, holds: () => isIt(server.calls) });
    },
  };
}

const bookmark = (version: number): string => eventLine('BOOKMARK', { metadata: { resourceVersion: String(version) } });

describe('listing', () => {
  test('takes every page, says where the watch begins', async () => {
    const { untilTold, calls, states } = await follow({
      list: [page(7, [objectAt('a', 1)], 'more'), page(7, [objectAt('b', 2)])],
      watch: [events(eventLine('ADDED', objectAt('c', 8)), 'falls silent')],
    });
    await untilTold('put a@1', 'put b@2', 'put c@8');
    expect(calls.map(({ type, query }) => [type, query['continue'], query['resourceVersion']])).toEqual([
      ['list', undefined, undefined],
      ['list', 'more', undefined],
      ['watch', undefined, '7'],
    ]);
    expect(states).toEqual([{ state: 'following' }]);
  });

  test('begins anew when the rest of the list has expired', async () => {
    const { untilTold } = await follow({
      list: [page(7, [objectAt('a', 1)], 'more'), refusal(410, 'Expired'), page(9, [objectAt('b', 8)])],
      watch: [],
    });
    await untilTold('put b@8');
  });

  test('takes a list without items', async () => {
    const { untilTold } = await follow({
      list: [
        (response) =>
          response.end('{"apiVersion":"v1","kind":"ServiceList","metadata":{"resourceVersion":"3"},"items":null}'),
      ],
      watch: [events(eventLine('ADDED', objectAt('a', 4)), 'falls silent')],
    });
    await untilTold('put a@4');
  });

  test('waits as long as the API server says', async () => {
    const startedAtMs = performance.now();
    const { untilTold } = await follow({
      list: [refusal(429, 'TooManyRequests', { 'retry-after': '1' }), page(7, [objectAt('a', 1)])],
      watch: [],
    });
    await untilTold('put a@1');
    expect(performance.now() - startedAtMs).toBeGreaterThan(990);
  });
});

describe('watching', () => {
  const list = [page(7, [objectAt('a', 1), objectAt('b', 2)])];

  test('tells what comes, changes and goes', async () => {
    const text = [
      eventLine('ADDED', objectAt('c', 8)),
      eventLine('MODIFIED', objectAt('a', 9)),
      eventLine('DELETED', objectAt('b', 10)),
    ].join('');
    const { untilTold } = await follow({ list, watch: [events(text, 'falls silent')] });
    await untilTold('put a@1', 'put b@2', 'put c@8', 'put a@9', 'delete b');
  });

  test('resumes at the last bookmark, without a list', async () => {
    const { untilTold, calls } = await follow({
      list,
      watch: [events(bookmark(50), 'ends'), events(eventLine('ADDED', objectAt('c', 51)), 'falls silent')],
    });
    await untilTold('put a@1', 'put b@2', 'put c@51');
    expect(calls.map(({ type, query }) => `${type} ${query['resourceVersion'] ?? ''}`)).toEqual([
      'list ',
      'watch 7',
      'watch 50',
    ]);
  });

  test('a line that is cut in half is not taken, and what it said comes with the next watch', async () => {
    const line = eventLine('ADDED', objectAt('c', 8));
    const { untilTold, calls } = await follow({
      list,
      watch: [events(line.slice(0, -20), 'is cut'), events(line, 'falls silent')],
    });
    await untilTold('put a@1', 'put b@2', 'put c@8');
    expect(calls.map(({ query }) => query['resourceVersion'])).toEqual([undefined, '7', '7']);
  });

  test('a connection that falls silent is noticed', async () => {
    // Each may be taken for silent too, where its one event does not arrive in time.
    const later = Array.from({ length: 100 }, () => events(eventLine('DELETED', objectAt('a', 8)), 'falls silent'));
    const { untilTold, states } = await follow(
      { list, watch: [events('', 'falls silent'), ...later] },
      { watchMs: 200, graceMs: 100 },
    );
    await untilTold('put a@1', 'put b@2', 'delete a');
    expect(states.map(({ state }) => state)).toContain('interrupted');
  });

  test.for<[string, Step]>([
    ['the answer', refusal(410, 'Expired')],
    [
      'an event',
      events(eventLine('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }), 'ends'),
    ],
    ['a version from the future', refusal(504, 'Timeout: Too large resource version: 7, current: 3')],
  ])('lists again when its place is gone: %s; deletions and recreations are found', async ([, gone]) => {
    const { untilTold } = await follow({
      list: [...list, page(20, [objectAt('b', 15, 'another uid'), objectAt('c', 12)])],
      watch: [gone],
    });
    await untilTold('put a@1', 'put b@2', 'delete a', 'delete b', 'put b@15', 'put c@12');
  });

  test('an object that is known at this version is not told again', async () => {
    const text = eventLine('MODIFIED', objectAt('a', 1)) + eventLine('ADDED', objectAt('c', 8));
    const { untilTold } = await follow({ list, watch: [events(text, 'falls silent')] });
    await untilTold('put a@1', 'put b@2', 'put c@8');
  });

  test('an object that was recreated is told as gone first', async () => {
    const { untilTold } = await follow({
      list,
      watch: [events(eventLine('MODIFIED', objectAt('a', 9, 'another uid')), 'falls silent')],
    });
    await untilTold('put a@1', 'put b@2', 'delete a', 'put a@9');
  });
});

describe('when the API server will not', () => {
  test('a kind that is not installed is said, and picked up when it is', async () => {
    const { untilTold, states } = await follow({
      list: [refusal(404, 'NotFound'), refusal(404, 'NotFound'), page(7, [objectAt('a', 1)])],
      watch: [],
    });
    await untilTold('put a@1');
    expect(states.slice(0, 2)).toEqual([{ state: 'not installed' }, { state: 'not installed' }]);
  });

  test('what is known is not thrown away for a 404 of an API server that is just starting', async () => {
    const lists = [
      page(7, [objectAt('a', 1)]),
      refusal(404, 'NotFound'),
      refusal(404, 'NotFound'),
      page(9, [objectAt('a', 1)]),
    ];
    const watch = [refusal(404, 'NotFound'), events(eventLine('ADDED', objectAt('b', 10)), 'falls silent')];
    const { untilTold } = await follow({ list: lists, watch });
    await untilTold('put a@1', 'put b@10');
  });

  test('but it is gone when that is said again and again', async () => {
    const { untilTold, states } = await follow({
      list: [page(7, [objectAt('a', 1)]), ...Array.from({ length: 9 }, () => refusal(404, 'NotFound'))],
      watch: [refusal(404, 'NotFound')],
    });
    await untilTold('put a@1', 'delete a');
    expect(states.at(-1)).toEqual({ state: 'not installed' });
  });

  test('what may not be read is said with the words of the API server, and nothing is forgotten', async () => {
    const { untilTold, states } = await follow({
      list: [page(7, [objectAt('a', 1)])],
      watch: [refusal(403, 'Forbidden'), events(eventLine('ADDED', objectAt('b', 8)), 'falls silent')],
    });
    await untilTold('put a@1', 'put b@8');
    expect(states).toEqual([{ state: 'forbidden', message: 'refused: Forbidden' }, { state: 'following' }]);
  });
});
