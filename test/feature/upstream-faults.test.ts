/**
 * Upstreams that die, stall and lie, on bare TCP and over TLS, behind the whole gateway: what the client gets, how often the upstream
 * was asked, what was counted, and that the next request, on the client's connection and from the pool, is right.
 */
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { oneService } from '../support/one-service.ts';
import { perform, scriptedUpstream } from '../support/scripted-upstream.ts';
import { emptyPipeline, objectsOf } from '../support/silent-pipeline.ts';
import { bodies } from './upstream-faults/bodies.ts';
import { connections } from './upstream-faults/connections.ts';
import type { FaultRow } from './upstream-faults/fault-row.ts';
import { heads } from './upstream-faults/heads.ts';

const tables: readonly (readonly [subject: string, rows: readonly FaultRow[]])[] = [
  ['connections', connections],
  ['heads', heads],
  ['bodies', bodies],
];

let gateway: Awaited<ReturnType<typeof emptyPipeline>>;

beforeAll(async () => {
  gateway = await emptyPipeline();
});

afterAll(async () => {
  await gateway.pipeline.stop(0);
});

interface Got {
  readonly gets: string;
  /** Whether the client's connection was one that was there. */
  readonly isReused: boolean;
  readonly isClosing: boolean;
}

/** What came of an answer: the upstream's has a Via, and is told with its body. */
async function whatCame(response: IncomingMessage): Promise<string> {
  let body = '';
  try {
    for await (const chunk of response.setEncoding('latin1') as AsyncIterable<string>) body += chunk;
  } catch {
    return 'cut';
  }
  return response.headers.via === undefined ? String(response.statusCode) : `${response.statusCode} ${body}`.trim();
}

/** Asks over one connection, as long as that is kept; tells of the answer's head. */
async function ask(
  agent: Agent,
  { method = 'GET', body, isSlow }: Partial<FaultRow['ask'] & object> = {},
  onHead: () => void = () => undefined,
): Promise<Got> {
  return new Promise((resolve) => {
    const length =
      body === undefined ? (method === 'POST' ? { 'Content-Length': 0 } : {}) : { 'Content-Length': body.length };
    const request = httpRequest({ port: gateway.pipeline.port, path: '/', method, agent, headers: length });
    request.on('error', () => resolve({ gets: 'cut', isReused: request.reusedSocket, isClosing: true }));
    request.once('response', (response) => {
      onHead();
      if (isSlow === true) request.end(body?.slice(1));
      const isClosing = response.headers.connection === 'close';
      void whatCame(response).then((gets) =>
        resolve({ gets, isReused: request.reusedSocket, isClosing: isClosing || gets === 'cut' }),
      );
    });
    // The rest of a slow body comes once there is an answer to its start.
    if (isSlow === true) request.write(body?.slice(0, 1));
    else request.end(body);
  });
}

/** How many answers were counted, by who gave them and their status. */
async function counted(): Promise<Record<string, number>> {
  await gateway.pipeline.collect();
  const tally: Record<string, number> = {};
  const text = await gateway.metrics.registry.getSingleMetricAsString('kong_http_requests_total');
  for (const [, code, source, count] of text.matchAll(/code="(\d+)",source="(\w+)".*\} (\d+)/g)) {
    tally[`${source} ${code}`] = Number(count);
  }
  return tally;
}

/** What was counted since; resolves once so many answers were. */
async function countedSince(before: Record<string, number>, answers: number): Promise<Record<string, number>> {
  for (let tries = 0; tries < 100; tries += 1) {
    const now = Object.entries(await counted()).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
    const sum = now.reduce((total, [, count]) => total + count, 0);
    if (sum >= answers) return Object.fromEntries(now.filter(([, count]) => count > 0));
  }
  throw new Error(`fewer than ${answers} answers were counted`);
}

const tallyOf = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    Map.groupBy(names, (name) => name)
      .entries()
      .map(([name, all]) => [name, all.length]),
  );

/** An answer that is cut had a status before. */
const countName = (gets: string): string =>
  /^50[24]$/.test(gets) ? `kong ${gets}` : `service ${gets === 'cut' ? 200 : gets.slice(0, 3)}`;

/** A gateway in front of an upstream, and a client with one connection. */
async function setUp(row: FaultRow, protocol: 'http' | 'https') {
  const upstream = await scriptedUpstream(row, protocol);
  const direct = async (port: number, more: FaultRow['limits'] = {}): Promise<void> => {
    gateway.source.set(objectsOf(oneService(port, { protocol, annotations: { ...row.service, ...more } })));
    await gateway.pipeline.settled();
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  await direct(row.isDown === true ? await freePort() : upstream.port);
  return { upstream, agent, direct };
}

/** Node resets no connection over TLS. */
const overTls = (rows: readonly FaultRow[]): FaultRow[] => rows.filter(({ name }) => !name.startsWith('resets'));

const both = [
  ...tables.map(([subject, rows]) => ['http', subject, rows] as const),
  ...tables.map(([subject, rows]) => ['https', subject, overTls(rows)] as const),
];

describe.for(both)('%s: %s', ([protocol, , rows]) => {
  test.for(rows)('$name', async (row) => {
    const { upstream, agent, direct } = await setUp(row, protocol);
    const before = await counted();
    for (let i = 0; i < (row.before ?? 0); i += 1) expect((await ask(agent)).gets).toBe('200 ok');
    const [askedBefore, openedBefore] = [upstream.requests.length, upstream.connections.length];

    if (row.limits !== undefined) await direct(upstream.port, row.limits);
    const { gets, isClosing } = await ask(agent, row.ask, () => {
      const socket = upstream.connections.at(-1);
      if (row.onceHeadIsOut !== undefined && socket !== undefined) perform(row.onceHeadIsOut, socket);
    });
    await upstream.until('it was asked', () => upstream.requests.length >= askedBefore + row.asked);
    const asked = upstream.requests.length - askedBefore;
    const opened = upstream.connections.length - openedBefore;
    expect({ gets, asked, opened }).toEqual({ gets: row.gets, asked: row.asked, opened: row.connections ?? row.asked });
    expect(isClosing).toBe(row.client === 'closed' || row.gets === 'cut');

    if (row.isDown === true || row.limits !== undefined) await direct(upstream.port);
    // What comes behind an answer may come late: it must find nobody.
    if (row.pool === 'fresh') {
      await upstream.until('all is closed', () => upstream.connections.every(({ destroyed }) => destroyed));
    }
    const openedThen = upstream.connections.length;
    const next = await ask(agent);
    expect(next).toEqual({ gets: '200 ok', isReused: !isClosing, isClosing: false });
    expect(upstream.connections.length === openedThen ? 'kept' : 'fresh').toBe(row.pool);
    expect(upstream.requests.at(-1)).toMatch(/^GET \/ HTTP\/1\.1\r\n[^]*\r\n\r\n$/);
    const answers = [
      ...Array.from({ length: row.before ?? 0 }, () => 'service 200'),
      countName(row.gets),
      'service 200',
    ];
    expect(await countedSince(before, answers.length)).toEqual(tallyOf(answers));
  });
});
