/** What callers ask, and what is wrong with an answer. */
import { slowEnding, type Echo } from './echo.ts';
import { versionFor, type Moving } from './moving.ts';
import { movers, movingKey, stayers, stayingKey, type World } from './world.ts';

export interface Question {
  readonly path: string;
  readonly key: string;
  readonly consumer: string;
  readonly body?: string;
  /** Its upstream takes its time: it says nothing of the gateway's. */
  readonly isSlow: boolean;
  /** What the answer depends on, and the status by its version; a status if on nothing that moves. */
  readonly status: number | { readonly by: Moving; readonly is: readonly [number, number] };
  /** Which endpoints may answer. */
  readonly service: Moving;
}

const get = <T>(items: readonly T[], i: number): T => items[i % items.length] as T;

/** What caller asks as its n-th; no two have the same path. */
export function questionOf(n: number, world: World): Question {
  const i = n % stayers;
  const m = Math.floor(n / 7) % movers;
  const isSlow = n % 60 === 0;
  const ending = isSlow ? slowEnding : '';
  const usual = {
    path: `/staying-${i}/${n}${ending}`,
    key: stayingKey(i),
    consumer: `staying-${i}`,
    isSlow,
    status: 200,
    service: get(world.services, i),
    ...(n % 3 === 0 ? { body: 'x'.repeat(n % 5_000) } : {}),
  };
  switch (n % 7) {
    case 0:
      return { ...usual, key: 'nobodys-key', status: 401 };
    case 1: {
      const status = { by: get(world.consumers, m), is: [200, 401] } as const;
      return { ...usual, key: movingKey(m), consumer: `moving-${m}`, status };
    }
    case 2: {
      const status = { by: get(world.routes, m), is: [200, 404] } as const;
      return { ...usual, path: `/moving-${m}/${n}${ending}`, service: get(world.services, m), status };
    }
    default:
      return usual;
  }
}

/** The statuses that are right for a request that was sent then and is answered now. */
function rightStatuses({ status }: Question, sentMs: number): readonly number[] {
  if (typeof status === 'number') return [status];
  const version = versionFor(status.by, sentMs);
  return version === undefined ? status.is : [status.is[version]];
}

/** What is wrong with an answer; undefined for nothing. */
export function faultOf(question: Question, status: number, { text, sentMs }: { text: string; sentMs: number }) {
  const { path, consumer, body = '', service } = question;
  const right = rightStatuses(question, sentMs);
  if (!right.includes(status)) return `${path}: ${status} instead of ${right.join(' or ')}`;
  if (status !== 200) return undefined;
  const echo = JSON.parse(text) as Echo;
  if (echo.path !== path) return `${path}: answered as ${echo.path}`;
  if (echo.consumer !== consumer) return `${path}: ${consumer} was taken for ${echo.consumer}`;
  if (echo.bytes !== body.length) return `${path}: ${echo.bytes} bytes of ${body.length} arrived`;
  const isRemoved = echo.upstream === 'mortal' && versionFor(service, sentMs) === 1;
  return isRemoved ? `${path}: answered by an endpoint that is gone` : undefined;
}
