/**
 * One line of JSON for every request that got an answer, or whose client left before.
 *
 *   answered ──▶ line ──▶ writer ──▶ standard output
 *
 * No key has a way in: of headers there is the user agent alone, of the query nothing unless it is asked for.
 */
import type { AnswerSource } from '#telemetry/traffic-figures.ts';
import type { LineWriter } from '#telemetry/line-writer.ts';
import { nameInKey } from '#table/entry-name.ts';
import type { RouteEntry } from '#table/route-entry.ts';
import type { Target } from '#table/service-entry.ts';
import type { RequestMessage } from './client-message.ts';
import { plainAddress } from './client-trust.ts';
import type { ProxyExchange } from './exchange.ts';
import { hiddenQuery } from './hidden-query.ts';
import type { RefusalReason } from './refusal-reason.ts';
import type { SecretNames } from './secret-names.ts';
import { addressOf } from './target-address.ts';
import type { Figures } from './traffic.ts';

/** A request that is over. */
interface Answered {
  readonly request: RequestMessage;
  /** Undefined where it met no route, or was refused before. */
  readonly exchange: ProxyExchange | undefined;
  readonly requestId: string;
  readonly source: AnswerSource;
  readonly status: number;
  readonly figures: Figures;
  /** Where it was sent last, and how often it was sent; absent where it was not. */
  readonly target?: Target | undefined;
  readonly tries?: number;
}

/** What could not be read as a request, and was answered all the same. */
interface Unread {
  readonly requestId: string;
  readonly address: string;
  readonly status: number;
  readonly reason: RefusalReason;
}

export interface AccessLog {
  answered(request: Answered): void;
  unread(refused: Unread): void;
}

export interface AccessLogOptions {
  readonly writer: Pick<LineWriter, 'write'>;
  readonly secrets: Pick<SecretNames, 'has'>;
  /** Whether the query is written, without the values of secrets. */
  readonly withQuery: boolean;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Longer texts of clients are cut, so that a line is written in one piece. */
const longestText = 1_024;
const plain = /^[\u0020\u0021\u0023-\u005B\u005D-\u007E]*$/;

/** A text in JSON, in ASCII alone: what a client sends cannot end a line or steer a terminal. */
function quoted(text: string): string {
  const short = text.length > longestText ? `${text.slice(0, longestText)}...` : text;
  if (plain.test(short)) return `"${short}"`;
  return JSON.stringify(short).replaceAll(
    /[\u007F-\uFFFF]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;

/** The first value of a field as it came. */
function fieldOf({ rawHeaders: raw }: RequestMessage, name: string): string | undefined {
  for (let i = 0; i < raw.length; i += 2) {
    const candidate = raw[i] ?? '';
    if (candidate.length === name.length && candidate.toLowerCase() === name) return raw[i + 1];
  }
  return undefined;
}

/** What a line says of whoever asks for what. */
interface Seen {
  readonly address: string;
  readonly host: string;
  readonly path: string;
  readonly query: string | undefined;
}

const seenOf = ({ clientAddress: address, host, guarded }: ProxyExchange): Seen => ({
  address,
  host,
  path: guarded.path,
  query: guarded.hasQuery ? guarded.query : undefined,
});

/** Of a target in absolute form it is left out who it was sent to, and as whom. */
function seenOfRefused(request: RequestMessage): Seen {
  const target = request.url ?? '';
  return {
    address: plainAddress(request.socket.remoteAddress ?? ''),
    host: fieldOf(request, 'host') ?? '',
    path: target.replace(/[?#].*/s, '').replace(/^[a-z][a-z\d+.-]*:\/\/[^/]*/i, ''),
    query: /\?(.*)/s.exec(target)?.[1],
  };
}

/** See the head of this file. */
export function createAccessLog({ writer, secrets, withQuery, now }: AccessLogOptions): AccessLog {
  const names = new WeakMap<RouteEntry, string>();

  /** The part of a line that all requests of a route have. */
  const namesOf = (route: RouteEntry): string => {
    let text = names.get(route);
    if (text === undefined) {
      text = `,"route":${quoted(route.name)},"service":${quoted(nameInKey(route.service))}`;
      names.set(route, text);
    }
    return text;
  };

  const clientPart = ({ request, exchange }: Answered): string => {
    const { address, host, path, query } = exchange === undefined ? seenOfRefused(request) : seenOf(exchange);
    const agent = secrets.has('user-agent') ? undefined : fieldOf(request, 'user-agent');
    const queryPart = withQuery && query !== undefined ? `,"query":${quoted(hiddenQuery(query, secrets))}` : '';
    return (
      `"client_ip":"${address}","method":${quoted(request.method ?? '')},"host":${quoted(host)},` +
      `"path":${quoted(path)}${queryPart},"protocol":"HTTP/${request.httpVersion}"` +
      (agent === undefined ? '' : `,"user_agent":${quoted(agent)}`)
    );
  };

  const gatewayPart = ({ exchange, target, tries }: Answered): string => {
    if (exchange === undefined) return '';
    const consumer = exchange.identity?.consumer;
    const caller = consumer === undefined ? '' : `,"consumer":${quoted(consumer.username ?? consumer.id)}`;
    const upstream = target === undefined ? '' : `,"upstream":"${addressOf(target)}","tries":${tries ?? 1}`;
    return `${namesOf(exchange.match.route)}${caller}${upstream}`;
  };

  const write = (requestId: string, rest: string): void =>
    writer.write(`{"level":30,"time":${now()},"msg":"access","request_id":"${requestId}",${rest}}\n`);

  return {
    answered(over) {
      const { figures, source, status } = over;
      const { requestMs, upstreamMs, gatewayMs, ingressBytes, egressBytes } = figures;
      const times =
        `"request_ms":${rounded(requestMs)},"gateway_ms":${rounded(gatewayMs)}` +
        (upstreamMs === undefined ? '' : `,"upstream_ms":${rounded(upstreamMs)}`);
      write(
        over.requestId,
        `${clientPart(over)},"status":${status},"source":"${source}","bytes_in":${ingressBytes},` +
          `"bytes_out":${egressBytes},${times}${gatewayPart(over)}`,
      );
    },

    unread({ requestId, address, status, reason }) {
      write(requestId, `"client_ip":"${address}","status":${status},"source":"exit","reason":"${reason}"`);
    },
  };
}
