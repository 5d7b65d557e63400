import type { Exchange, PluginHandler, Refusal } from '#plugins/plugin.ts';
import { queryValues } from '#plugins/query.ts';
import type { RequestTerminationConfig } from './schema.ts';

const outcome = 'terminated';
const json = 'application/json; charset=utf-8';

/** What Kong says of a status when the config says nothing; of others the body is empty. */
const usualMessages: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  404: 'Not found',
  405: 'Method not allowed',
  500: 'An unexpected error occurred',
  502: 'Bad Gateway',
  503: 'Service unavailable',
};

/** A `_` in the name also matches a header that is spelled with `-`, as everywhere in Kong. */
function isTriggered(name: string, exchange: Exchange): boolean {
  const lower = name.toLowerCase();
  const spellings = [lower, lower.replaceAll('_', '-')];
  return (
    spellings.some((spelling) => exchange.headerValues(spelling).length > 0) ||
    queryValues(exchange.query, name).length > 0
  );
}

/** The most of a body that is shown, as much as other plugins look at. */
const bodyLimitBytes = 8 * 1024;

/** What the client sent, as the gateway saw it: nothing of it is hidden from who sent it. */
async function echoed(exchange: Exchange, message: string | undefined): Promise<string> {
  const body = await exchange.readBody(bodyLimitBytes);
  return JSON.stringify({
    message,
    request: {
      scheme: exchange.scheme,
      host: exchange.host,
      method: exchange.method,
      path: exchange.path,
      query: exchange.query,
      headers: grouped(exchange.headers()),
      raw_body: body?.toString('utf8'),
    },
    matched_route: { name: exchange.routeName },
  });
}

/** Headers by their lower-case name; a list where a name came more than once. */
function grouped(headers: readonly (readonly [string, string])[]): Record<string, string | string[]> {
  const all = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    all.set(lower, [...(all.get(lower) ?? []), value]);
  }
  return Object.fromEntries([...all].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]));
}

function answerOf(config: RequestTerminationConfig, message: string | undefined): Refusal {
  const { status_code: status, body } = config;
  const answer = { status, message: message ?? '', outcome };
  if (body !== undefined && body !== '')
    return { ...answer, body: { text: body, contentType: config.content_type || json } };
  if (message === undefined) return { ...answer, body: { text: '' } };
  return { ...answer, body: { text: JSON.stringify({ message }), contentType: json } };
}

/** Answers instead of the upstream. */
export const requestTerminationHandler: PluginHandler<RequestTerminationConfig> = {
  name: 'request-termination',
  isIndifferent: true,
  access(config, exchange) {
    if (config.trigger !== undefined && !isTriggered(config.trigger, exchange)) return undefined;
    const message = config.message ?? usualMessages[config.status_code];
    const refusal = answerOf(config, message);
    if (!config.echo) return refusal;
    return echoed(exchange, message).then((text) => ({ ...refusal, body: { text, contentType: json } }));
  },
};
