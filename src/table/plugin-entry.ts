import type { ConsumerIdentity } from './consumer-identity.ts';
import type { Redacted } from './redacted.ts';

/** A plugin as it is configured: what a handler is called with. */
export interface PluginEntry {
  readonly kind: 'plugin';
  /** Unique in the table: `plugin:<kind>/<namespace>/<name>`. */
  readonly key: string;
  /** Type of the plugin, such as `key-auth`. */
  readonly type: string;
  /** A disabled plugin is as if it were not attached. */
  readonly isEnabled: boolean;
  /** The plugin's config with its defaults filled in; of the type that its schema states. */
  readonly config: unknown;
  /** The config as JSON instead, when something in it comes from a Secret: a worker opens it. */
  readonly hiddenConfig?: Redacted;
  /** Consumers that the config names, by the name it uses; a name that is absent here does not exist. */
  readonly consumers: Readonly<Record<string, ConsumerIdentity>>;
  /** Namespaces whose consumers it lets in, `same` for that of the route; absent for all. The route may say less. */
  readonly admits?: readonly string[];
  /** Why the plugin cannot run; the routes that use it answer 503. */
  readonly broken?: string;
}
