import { pluginHandlers } from '#plugins/handlers.ts';
import type { Exchange, PluginHandler, Refusal } from '#plugins/plugin.ts';
import type { PluginEntry } from '#table/plugin-entry.ts';
import type { RouteEntry } from '#table/route-entry.ts';

/** Told of every decision on a caller, for the log of attempts. */
export type AttemptListener = (plugin: PluginEntry, refusal: Refusal | undefined) => void;

/** A plugin that is referred to and cannot run. Letting the request through would open what it guards. */
const notInForce: Refusal = {
  status: 503,
  message: 'a plugin of this route is not in force',
  outcome: 'plugin-not-in-force',
};

interface ReadyPlugin {
  readonly entry: PluginEntry;
  readonly handler: PluginHandler;
}

/** Of one type the most specific instance that is enabled; nothing if all are disabled. */
function choose(
  keys: readonly string[],
  find: (key: string) => PluginEntry | undefined,
): ReadyPlugin | Refusal | undefined {
  for (const key of keys) {
    const entry = find(key);
    if (entry === undefined) return notInForce;
    if (!entry.isEnabled) continue;
    const handler = pluginHandlers.get(entry.type);
    return entry.broken !== undefined || handler === undefined ? notInForce : { entry, handler };
  }
  return undefined;
}

/**
 * Runs a route's plugins in order until one refuses. Stays synchronous unless a plugin must wait. What
 * cannot be run refuses: never fail open.
 */
export function runPlugins(
  route: RouteEntry,
  find: (key: string) => PluginEntry | undefined,
  exchange: Exchange,
  onAttempt: AttemptListener,
): Refusal | undefined | Promise<Refusal | undefined> {
  return runFrom(0, { route, find, exchange, onAttempt });
}

interface Run {
  readonly route: RouteEntry;
  readonly find: (key: string) => PluginEntry | undefined;
  readonly exchange: Exchange;
  readonly onAttempt: AttemptListener;
}

function runFrom(start: number, run: Run): Refusal | undefined | Promise<Refusal | undefined> {
  const { plugins } = run.route;
  for (let i = start; i < plugins.length; i += 1) {
    const chosen = choose(plugins[i] ?? [], run.find);
    if (chosen === undefined) continue;
    if ('status' in chosen) return chosen;
    const { entry, handler } = chosen;
    const answer = handler.access(entry.config, run.exchange, entry);
    if (answer instanceof Promise) return answer.then((refusal) => after(refusal, entry, run) ?? runFrom(i + 1, run));
    const refusal = after(answer, entry, run);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function after(refusal: Refusal | undefined, entry: PluginEntry, run: Run): Refusal | undefined {
  run.onAttempt(entry, refusal);
  return refusal;
}
