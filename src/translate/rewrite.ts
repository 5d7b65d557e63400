import { RE2JS } from 're2js';
import type { PathMatch } from '#table/route-entry.ts';

/** The highest group that a template names: `$1` names one, `\$1` does not. */
function highestGroup(template: string): number {
  const named = [...template.matchAll(/\\\$|\$(\d)/g)].flatMap(([, digit]) =>
    digit === undefined ? [] : [Number(digit)],
  );
  return Math.max(0, ...named);
}

/** Why a template of `konghq.com/rewrite` cannot be filled from a path, if so (kong-facts 4.5). */
export function rewriteFault(template: string | undefined, match: PathMatch): string | undefined {
  const wanted = template === undefined ? 0 : highestGroup(template);
  if (wanted === 0) return undefined;
  const groups = match.type === 'regex' ? RE2JS.compile(match.value).groupCount() : 0;
  if (wanted <= groups) return undefined;
  return `has ${groups} groups, but konghq.com/rewrite asks for $${wanted}`;
}
