import { RE2JS } from 're2js';
import type { RouteEntry } from '#table/route-entry.ts';

/** Compiled when first asked for: it takes kilobytes. A route that is replaced takes its expression along. */
const compiled = new WeakMap<RouteEntry, RE2JS>();

/** The expression of a route, whose source its translation has tried. */
export function pathExpression(route: RouteEntry, source: string): RE2JS {
  let expression = compiled.get(route);
  if (expression === undefined) compiled.set(route, (expression = RE2JS.compile(source)));
  return expression;
}

/** Characters that mean themselves in an expression, one by one. */
const literals = /^(?:[\w/~%:@!,;=&-]|\\[./-])*/;

/**
 * What everything that an expression matches begins with, so that most paths need not be tried; '' where it is not
 * plain to see. `/items/[0-9]+` → `/items/`.
 */
export function literalStart(source: string): string {
  // What follows flags may speak of what stands before them: `a(?i)?` matches nothing at all.
  if (/\(\?[^:P<]/.test(source) || source.includes('\\Q') || hasAlternatives(source)) return '';
  const [run = ''] = literals.exec(source) ?? [];
  const start = run.replaceAll('\\', '');
  // A last character that may be absent is no part of it.
  return /[*?{]/.test(source.charAt(run.length)) ? start.slice(0, -1) : start;
}

/** Whether an expression has a `|` outside of all groups; in doubt it has. */
function hasAlternatives(source: string): boolean {
  if (!source.includes('|')) return false;
  // An escape leaves a character behind: `[^\]]` must not become `[^]`, which reads on.
  let rest = source.replaceAll(/\\[^]/g, '_').replaceAll(/\[\^?\]?[^\]]*\]/g, '');
  for (;;) {
    const without = rest.replaceAll(/\([^()]*\)/g, '');
    if (without === rest) return rest.includes('|');
    rest = without;
  }
}
