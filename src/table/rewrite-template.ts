/*
 * The template of `konghq.com/rewrite` (kong-facts 4.5): `$1` stands for what the first group of the route's
 * regular expression took, `\$` for a dollar.
 */
const placeholder = /\\\$|\$(\d)/g;

/** A template with its groups filled in. */
export function fillTemplate(template: string, group: (number: number) => string): string {
  return template.replaceAll(placeholder, (_, digit?: string) => (digit === undefined ? '$' : group(Number(digit))));
}

/** The highest group that a template names; 0 for none. */
export function highestGroup(template: string): number {
  return Math.max(0, ...[...template.matchAll(placeholder)].map(([, digit = '0']) => Number(digit)));
}
