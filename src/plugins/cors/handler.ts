import type { Exchange, PluginHandler, Refusal } from '#plugins/plugin.ts';
import { originCheck, soleOrigin, type OriginCheck } from './origins.ts';
import type { CorsConfig } from './schema.ts';

/** Expressions are compiled once for a config, which stays the same object as long as it is in force. */
const checks = new WeakMap<CorsConfig, OriginCheck>();

function checkFor(config: CorsConfig): OriginCheck {
  const known = checks.get(config);
  if (known !== undefined) return known;
  const check = originCheck(config.origins ?? []);
  checks.set(config, check);
  return check;
}

/** A request that names two origins names none. */
function originOf(exchange: Exchange): string | undefined {
  const values = exchange.headerValues('origin');
  return values.length === 1 ? values[0] : undefined;
}

const allowsAll = ({ origins = [] }: CorsConfig): boolean => origins.length === 0 || origins.includes('*');

/** Value of Access-Control-Allow-Origin; undefined where the origin may not read the answer. */
function allowedOrigin(config: CorsConfig, origin: string | undefined): string | undefined {
  // A browser takes no `*` with credentials.
  if (allowsAll(config)) return config.credentials && origin !== undefined ? origin : '*';
  const sole = soleOrigin(config.origins ?? []);
  if (sole !== undefined) return sole;
  return origin !== undefined && checkFor(config)(origin) ? origin : undefined;
}

/** Gives whether the origin may read the answer. */
function stateOrigin(config: CorsConfig, exchange: Exchange): boolean {
  const allowed = allowedOrigin(config, originOf(exchange));
  if (!allowsAll(config) || config.credentials) exchange.addResponseHeader('Vary', 'Origin');
  // Empty, it fits no origin: what the upstream says must not let in whom the config does not.
  exchange.setResponseHeader('Access-Control-Allow-Origin', allowed ?? '');
  if (config.credentials && allowed !== undefined && allowed !== '*') {
    exchange.setResponseHeader('Access-Control-Allow-Credentials', 'true');
  }
  return allowed !== undefined;
}

function answerPreflight(config: CorsConfig, exchange: Exchange): Refusal {
  const answer = { status: 200, message: '', body: { text: '' }, outcome: 'preflight' };
  if (!stateOrigin(config, exchange)) return answer;
  const headers = config.headers ?? exchange.headerValues('access-control-request-headers');
  if (headers.length > 0) exchange.setResponseHeader('Access-Control-Allow-Headers', headers.join(','));
  exchange.setResponseHeader('Access-Control-Allow-Methods', config.methods.join(','));
  if (config.max_age !== undefined) exchange.setResponseHeader('Access-Control-Max-Age', String(config.max_age));
  const asksForPrivate = exchange.headerValues('access-control-request-private-network').includes('true');
  if (config.private_network && asksForPrivate) {
    exchange.setResponseHeader('Access-Control-Allow-Private-Network', 'true');
  }
  return answer;
}

/** https://fetch.spec.whatwg.org/#cors-preflight-fetch */
function isPreflight(exchange: Exchange): boolean {
  return (
    exchange.method === 'OPTIONS' &&
    originOf(exchange) !== undefined &&
    exchange.headerValues('access-control-request-method').length > 0
  );
}

/** Answers preflights, and lets browsers hand answers to pages of the origins that may have them. */
export const corsHandler: PluginHandler<CorsConfig> = {
  name: 'cors',
  isIndifferent: true,
  access(config, exchange) {
    if (isPreflight(exchange)) return config.preflight_continue ? undefined : answerPreflight(config, exchange);
    if (!config.allow_origin_absent && exchange.headerValues('origin').length === 0) return undefined;
    stateOrigin(config, exchange);
    if (config.exposed_headers !== undefined && config.exposed_headers.length > 0) {
      exchange.setResponseHeader('Access-Control-Expose-Headers', config.exposed_headers.join(','));
    }
    return undefined;
  },
};
