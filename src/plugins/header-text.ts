/** Kong's rule for the name of a header in a config, and its words for one that breaks it; undefined if it is good. */
export function headerNameFault(name: string): string | undefined {
  return /^[a-zA-Z0-9-_]+$/.test(name)
    ? undefined
    : `bad header name '${name}', allowed characters are A-Z, a-z, 0-9, '_', and '-'`;
}

/** RFC 9110 section 5.5; beyond ASCII only what Latin-1 has can be written. */
// eslint-disable-next-line no-control-regex -- what no header can carry is what is looked for
const notInHeader = /[^\t\u0020-\u007e\u0080-\u00ff]/;

/** What is wrong with a text that a config puts into a header; undefined if it is good. */
export function headerValueFault(text: string): string | undefined {
  return notInHeader.test(text) ? 'has a character that no header can carry' : undefined;
}
