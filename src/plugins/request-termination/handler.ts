import type { Exchange, PluginHandler, Refusal } from '#plugins/plugin.ts';
import { queryValues } from '#plugins/query.ts';
import type { RequestTerminationConfig } from './schema.ts';

/** What is said where the author says nothing. */
const messages: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  404: 'Not found',
  405: 'Method not allowed',
  500: 'An unexpected error occurred',
  502: 'Bad Gateway',
  503: 'Service unavailable',
};

const json = 'application/json; charset=utf-8';

function isTriggered(trigger: string | undefined, exchange: Exchange): boolean {
  if (trigger === undefined) return true;
  return exchange.headerValues(trigger.toLowerCase()).length > 0 || queryValues(exchange.query, trigger).length > 0;
}

/** What came, for whoever looks for the reason that a request takes another way than it should. */
function echo(message: string, exchange: Exchange): string {
  const { scheme, host, method, path, query, routeName } = exchange;
  return JSON.stringify({
    message,
    matched_route: { name: routeName },
    request: { scheme, host, method, path, query },
  });
}

/** Answers every request by itself, or those that have the trigger. */
export const requestTerminationHandler: PluginHandler<RequestTerminationConfig> = {
  name: 'request-termination',
  access(config, exchange): Refusal | undefined {
    if (!isTriggered(config.trigger, exchange)) return undefined;
    const status = config.status_code;
    const message = config.message ?? messages[status] ?? `The upstream server responded with ${status}`;
    const refusal = { status, message, outcome: 'terminated' };
    if (config.echo) return { ...refusal, body: { text: echo(message, exchange), contentType: json } };
    if (config.body === undefined) return refusal;
    return { ...refusal, body: { text: config.body, contentType: config.content_type ?? json } };
  },
};
