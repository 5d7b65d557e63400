import { RE2JS } from 're2js';
import { highestGroup } from '#table/rewrite-template.ts';
import type { PathMatch } from '#table/route-entry.ts';

/** Why a template of `konghq.com/rewrite` cannot be filled from a path, if so (kong-facts 4.5). */
export function rewriteFault(template: string | undefined, match: PathMatch): string | undefined {
  const wanted = template === undefined ? 0 : highestGroup(template);
  if (wanted === 0) return undefined;
  const groups = match.type === 'regex' ? RE2JS.compile(match.value).groupCount() : 0;
  if (wanted <= groups) return undefined;
  return `has ${groups} groups, but konghq.com/rewrite asks for $${wanted}`;
}
