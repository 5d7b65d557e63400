import { keyAuthHandler } from './key-auth/handler.ts';
import type { PluginHandler } from './plugin.ts';

const all: readonly PluginHandler[] = [keyAuthHandler];

/** Data side of every plugin, by name. */
export const pluginHandlers: ReadonlyMap<string, PluginHandler> = new Map(
  all.map((handler) => [handler.name, handler]),
);
