import { openCredentialIndex, type CredentialIndexReader } from '#table/credential-index-reader.ts';
import type { LiveLimits } from '#table/limits-entry.ts';
import { touches, type TablePatch, type WorkerEntry } from '#table/patch.ts';
import type { PluginEntry } from '#table/plugin-entry.ts';
import type { ServiceEntry } from '#table/service-entry.ts';
import { createRouter, type Match } from './match.ts';
import type { RequestTraits } from './route-conditions.ts';
import { createServerNames, type ServerNames } from './server-names.ts';

/** A worker's copy of the table. */
export interface ServedTable {
  /** Applies a patch as a whole; called between two requests. */
  apply(patch: TablePatch): void;
  match(host: string, path: string, request: RequestTraits): Match | undefined;
  /** How many patches changed routes, and plugins: while that is the same, what was found among them still holds. */
  readonly changes: { readonly routes: number; readonly plugins: number };
  readonly service: (key: string) => ServiceEntry | undefined;
  readonly plugin: (key: string) => PluginEntry | undefined;
  readonly credentials: CredentialIndexReader;
  readonly serverNames: Pick<ServerNames, 'find'>;
  /** Limits that the ingress class states. */
  limits(): Partial<LiveLimits> | undefined;
  /** The entries of services, for whoever keeps connections to their targets. */
  services(): Iterable<ServiceEntry>;
  plugins(): Iterable<PluginEntry>;
}

/** A plugin with the config that its handler reads. */
function opened({ hiddenConfig, ...entry }: PluginEntry): PluginEntry {
  return hiddenConfig === undefined ? entry : { ...entry, config: JSON.parse(hiddenConfig.reveal()) as unknown };
}

/** An empty copy at number 0; the first patch must bring the credential index. */
export function createServedTable(): ServedTable {
  /** By key, as they came. What is not found by its key is found elsewhere by what is in it. */
  const entries = new Map<string, WorkerEntry>();
  const serverNames = createServerNames();
  const services = new Map<string, ServiceEntry>();
  const plugins = new Map<string, PluginEntry>();
  const router = createRouter();
  const changes = { routes: 0, plugins: 0 };
  let limits: Partial<LiveLimits> | undefined;
  let credentials: CredentialIndexReader | undefined;

  const remove = (key: string): void => {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    if (entry.kind === 'route') router.remove(entry);
    if (entry.kind === 'service') services.delete(key);
    if (entry.kind === 'plugin') plugins.delete(key);
    if (entry.kind === 'limits') limits = undefined;
    if (entry.kind === 'certificate' || entry.kind === 'server-name') serverNames.remove(entry);
  };

  const put = (entry: WorkerEntry): void => {
    entries.set(entry.key, entry.kind === 'route' ? router.add(entry) : entry);
    if (entry.kind === 'service') services.set(entry.key, entry);
    if (entry.kind === 'plugin') plugins.set(entry.key, opened(entry));
    if (entry.kind === 'limits') limits = entry.limits;
    if (entry.kind === 'certificate' || entry.kind === 'server-name') serverNames.put(entry);
  };

  return {
    apply(patch) {
      if (touches(patch, 'route')) changes.routes += 1;
      if (touches(patch, 'plugin')) changes.plugins += 1;
      // All that is replaced goes first: two routes may swap their paths in one patch.
      for (const key of patch.remove) remove(key);
      for (const entry of patch.put) remove(entry.key);
      for (const entry of patch.put) put(entry);
      if (patch.credentialIndex !== undefined) credentials = openCredentialIndex(patch.credentialIndex);
    },
    match: (host, path, request) => router.match(host, path, request),
    changes,
    service: (key) => services.get(key),
    plugin: (key) => plugins.get(key),
    get credentials() {
      if (credentials === undefined) throw new Error('no patch has brought the credential index');
      return credentials;
    },
    serverNames,
    limits: () => limits,
    services: () => services.values(),
    plugins: () => plugins.values(),
  };
}
