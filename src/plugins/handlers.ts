import { aclHandler } from './acl/handler.ts';
import { basicAuthHandler } from './basic-auth/handler.ts';
import { requestTerminationHandler } from './request-termination/handler.ts';
import { prometheusHandler } from './prometheus/handler.ts';
import { keyAuthHandler } from './key-auth/handler.ts';
import { corsHandler } from './cors/handler.ts';
import type { PluginHandler } from './plugin.ts';

const all: readonly PluginHandler[] = [
  corsHandler,
  keyAuthHandler,
  basicAuthHandler,
  aclHandler,
  prometheusHandler,
  requestTerminationHandler,
];

/** Data side of every plugin, by name. */
export const pluginHandlers: ReadonlyMap<string, PluginHandler> = new Map(
  all.map((handler) => [handler.name, handler]),
);
