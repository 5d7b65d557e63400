import { isDeepStrictEqual } from 'node:util';
import type { CredentialIndexReader } from '#table/credential-index-reader.ts';
import type { RouteEntry } from '#table/route-entry.ts';
import type { Proof, ProxyExchange } from './exchange.ts';
import type { RequestTraits } from './route-conditions.ts';
import { decidingPlugins } from './run-plugins.ts';
import type { ServedTable } from './served-table.ts';
import type { CloseReason } from './websocket-frames.ts';

/** RFC 6455 section 7.4.1: policy violation. */
const revoked: CloseReason = { code: 1008, text: 'the credential is no longer in force' };
const changed: CloseReason = { code: 1008, text: 'access to the route has changed' };

/** Gives why a WebSocket may not go on by the table as it is now; undefined while it may. */
export type Recheck = () => CloseReason | undefined;

/** A text of its own: a part of a longer one keeps all of that, which may have a key in it. */
const copied = (text: string): string => Buffer.from(text).toString();

/** Of the headers those alone that the route asks for: others may be secret. */
function traitsOf({ method, headersDistinct, socket }: RequestTraits, { headers = [] }: RouteEntry): RequestTraits {
  const asked = headers.map(({ name }) => [name, headersDistinct[name]] as const);
  return { method, headersDistinct: Object.fromEntries(asked), socket };
}

/** Asks whether a credential is still what it was: at the same place of the same memory it is. */
function stillProves({ digest, credential }: Proof, table: ServedTable): () => boolean {
  let from: CredentialIndexReader | undefined;
  let place: number | undefined;
  return () => {
    const { credentials } = table;
    const nowMs = Date.now();
    const now = credentials.placeOf(digest, nowMs);
    if (now === undefined) return false;
    if (now === place && credentials === from) return true;
    const found = credentials.find(digest, nowMs);
    if (typeof found === 'string' || !isDeepStrictEqual(found, credential)) return false;
    [from, place] = [credentials, now];
    return true;
  };
}

/** What of a route decides on who gets in. */
const guardOf = ({ name, plugins, admits, protocols, blocked }: RouteEntry) => ({
  name,
  plugins,
  admits,
  protocols,
  blocked,
});

/**
 * Remembers what let an upgrade in, to see later whether it still would. A key is not kept, only what it was looked up
 * by, so plugins cannot be run again: whatever may have changed their mind counts as if it had. That closes a WebSocket
 * too many now and then, whose client connects again, and never one too few.
 */
export function rememberAccess(
  { guarded, match, identity, request, proofs = [] }: ProxyExchange,
  table: ServedTable,
): Recheck {
  const [host, path] = [copied(guarded.host), copied(guarded.path)];
  const traits = traitsOf(request, match.route);
  const consumer = identity?.consumer;
  const stillProved = proofs.map((proof) => stillProves(proof, table));
  let { route } = match;
  let plugins = decidingPlugins(route, table.plugin, consumer);
  // What was looked at already: nothing, not even what has been found just now.
  const seen = { routes: -1, plugins: -1 };
  return () => {
    if (!stillProved.every((isTrue) => isTrue())) return revoked;
    const { changes } = table;
    if (changes.routes !== seen.routes) {
      const now = table.match(host, path, traits)?.route;
      if (now === undefined) return changed;
      if (now !== route && !isDeepStrictEqual(guardOf(now), guardOf(route))) return changed;
      route = now;
    }
    if (changes.plugins !== seen.plugins) {
      const found = decidingPlugins(route, table.plugin, consumer);
      if (!plugins.every((plugin, i) => plugin === found[i] || isDeepStrictEqual(plugin, found[i]))) return changed;
      // What is the same again is recognised by its identity the next time.
      plugins = found;
    }
    Object.assign(seen, changes);
    return undefined;
  };
}
