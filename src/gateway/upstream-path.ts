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
  const rest = requestPath.slice(strippedLength).replace(/^(?:\.{1,2}(?:\/|$))+/, '');
  if (rest !== '') return rest.startsWith('/') ? base + rest : `${base}/${rest}`;
  return (requestPath.endsWith('/') ? `${base}/` : base) || '/';
}
