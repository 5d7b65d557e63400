/** Dot segments that stripping brings to the front. */
const leadingDots = /^(?:\.{1,2}(?:\/|$))+/;

/**
 * The path that an upstream gets: the service's path and what the route leaves of the request's, joined by
 * exactly one slash (kong-facts 2.6, path handling v0). Dot segments that stripping brings to the front
 * are dropped.
 *
 * @param strippedLength characters that strip-path takes away; 0 for none
 */
export function upstreamPath(servicePath: string, requestPath: string, strippedLength: number): string {
  if (servicePath === '/' && strippedLength === 0) return requestPath;
  const base = servicePath.endsWith('/') ? servicePath.slice(0, -1) : servicePath;
  const rest = requestPath.slice(strippedLength).replace(leadingDots, '');
  if (rest !== '') return rest.startsWith('/') ? base + rest : `${base}/${rest}`;
  return (requestPath.endsWith('/') ? `${base}/` : base) || '/';
}

/** The same in path handling v1, which is deprecated: one is put behind the other as it is (kong-facts 2.6). */
export function rawUpstreamPath(servicePath: string, requestPath: string, strippedLength: number): string {
  const rest = strippedLength === 0 ? requestPath.slice(1) : requestPath.slice(strippedLength).replace(leadingDots, '');
  return servicePath.endsWith('/') && rest.startsWith('/') ? servicePath + rest.slice(1) : servicePath + rest;
}
