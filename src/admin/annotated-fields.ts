import { listedItems } from '#resources/annotations.ts';
import type { KubernetesObject } from '#resources/kind.ts';

/*
 * Fields of Kong's entities that stand in annotations here (kong-facts 4.5), as their authors wrote them. What
 * cannot be read is told in the status of the object; the entity then shows the default.
 */

const annotation = (object: KubernetesObject, name: string): string | undefined =>
  object.metadata.annotations?.[`konghq.com/${name}`]?.trim();

/** A list; null when there is none. */
function list(object: KubernetesObject, name: string): string[] | null {
  const items = listedItems(annotation(object, name));
  return items.length === 0 ? null : items;
}

function flag(object: KubernetesObject, name: string, fallback: { readonly default: boolean }): boolean {
  const text = annotation(object, name)?.toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : fallback.default;
}

function number(object: KubernetesObject, name: string, fallback: number): number {
  const text = annotation(object, name) ?? '';
  return /^\d{1,10}$/.test(text) ? Number(text) : fallback;
}

const headersPrefix = 'konghq.com/headers.';

function headers(object: KubernetesObject): Record<string, string[]> | null {
  const separator = annotation(object, 'headers-separator') ?? ',';
  const stated = Object.entries(object.metadata.annotations ?? {}).filter(([name]) => name.startsWith(headersPrefix));
  if (stated.length === 0) return null;
  return Object.fromEntries(
    stated.map(([name, value]) => [
      name.slice(headersPrefix.length),
      value.split(separator === '' ? ',' : separator).map((item) => item.trim()),
    ]),
  );
}

/** The tags of an entity: those of the annotation, then those of the object's own field. */
export function tagsOf(object: KubernetesObject, own: readonly string[] = []): string[] | null {
  const tags = [...(list(object, 'tags') ?? []), ...own];
  return tags.length === 0 ? null : [...new Set(tags)];
}

/** Hosts that every rule of an Ingress has besides its own. */
export function hostAliases(object: KubernetesObject): readonly string[] {
  return list(object, 'host-aliases') ?? [];
}

/** What annotations of an Ingress say of its route. */
export function annotatedRouteFields(object: KubernetesObject) {
  const isForced = object.metadata.annotations?.['ingress.kubernetes.io/force-ssl-redirect']?.toLowerCase() === 'true';
  return {
    protocols: list(object, 'protocols') ?? (isForced ? ['https'] : ['http', 'https']),
    https_redirect_status_code: number(object, 'https-redirect-status-code', isForced ? 302 : 426),
    strip_path: flag(object, 'strip-path', { default: false }),
    preserve_host: flag(object, 'preserve-host', { default: true }),
    request_buffering: flag(object, 'request-buffering', { default: false }),
    response_buffering: flag(object, 'response-buffering', { default: false }),
    tags: tagsOf(object),
    snis: list(object, 'snis'),
    methods: list(object, 'methods')?.map((method) => method.toUpperCase()) ?? null,
    headers: headers(object),
    regex_priority: number(object, 'regex-priority', 0),
    path_handling: annotation(object, 'path-handling') === 'v1' ? 'v1' : 'v0',
  };
}
