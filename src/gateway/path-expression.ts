import { RE2JS } from 're2js';

/** Expressions that somebody holds. Each takes kilobytes, and the hosts of many tenants have the same ones. */
const held = new Map<string, WeakRef<RE2JS>>();
const released = new FinalizationRegistry<string>((source) => {
  if (held.get(source)?.deref() === undefined) held.delete(source);
});

/** The expression of a path, whose source its translation has tried: one object as long as somebody holds it. */
export function pathExpression(source: string): RE2JS {
  const known = held.get(source)?.deref();
  if (known !== undefined) return known;
  const expression = RE2JS.compile(source);
  held.set(source, new WeakRef(expression));
  released.register(expression, source);
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
