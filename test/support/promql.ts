/** A metric that an expression reads, and the labels that it asks of it. */
interface Selection {
  readonly metric: string;
  readonly labels: readonly string[];
}

const words = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'and', 'or', 'unless', 'bool']);
const selector = /([a-zA-Z_:][\w:]*)\s*\{([^{}]*)\}/g;
const matcher = /^\s*(\w+)\s*(?:=~|!~|!=|=)\s*""\s*$/;
const grouping = /\b(?:by|without|on|ignoring)\s*\(([^()]*)\)/g;

function selectionOf(metric: string, matchers: string): Selection {
  const labels = matchers.split(',').map((text) => matcher.exec(text)?.[1]);
  if (labels.includes(undefined)) throw new Error(`${metric}{${matchers}} has a matcher that cannot be read`);
  return { metric, labels: labels.map(String) };
}

/**
 * What an expression of Prometheus reads and what it groups by. No parser of all of it: what it takes for the name of a
 * metric is what is neither a function, a word of the language nor a label.
 *
 * @throws Error where brackets do not match, or a selector cannot be read
 */
export function selectionsOf(expression: string): { readonly selections: Selection[]; readonly groupedBy: string[] } {
  let text = expression.replaceAll(/"[^"]*"/g, '""').replaceAll(/\[(?:\d+[smhd]|\$__rate_interval)\]/g, '');
  const selections = [...text.matchAll(selector)].map(([, metric = '', matchers = '']) =>
    selectionOf(metric, matchers),
  );
  text = text.replaceAll(selector, ' ');
  const groupedBy = [...text.matchAll(grouping)].flatMap(([, labels = '']) =>
    labels.split(',').map((name) => name.trim()),
  );
  text = text.replaceAll(grouping, ' ');
  for (const [, name = '', call = ''] of text.matchAll(/\b([a-zA-Z_:][\w:]*)(\s*\()?/g)) {
    if (call === '' && !words.has(name)) selections.push({ metric: name, labels: [] });
  }
  let rest = text;
  for (let before = ''; before !== rest; rest = rest.replaceAll(/\([^()[\]{}]*\)/g, ' ')) before = rest;
  if (/[()[\]{}]/.test(rest)) throw new Error(`brackets do not match: ${expression}`);
  return { selections, groupedBy };
}
