/** One argument of a query: `true` stands for a name without `=`. */
export type QueryValue = string | true;

/** A percent-encoded part of a query as text; a broken encoding stays as it is. */
function decodePart(part: string): string {
  const spaced = part.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

function nameOf(argument: string): string {
  const equals = argument.indexOf('=');
  const name = equals === -1 ? argument : argument.slice(0, equals);
  return name.includes('%') || name.includes('+') ? decodePart(name) : name;
}

/** Every value that a query (or form) has for a name, decoded, in the order they stand there. */
export function queryValues(query: string, name: string): QueryValue[] {
  if (query === '') return [];
  return query
    .split('&')
    .filter((argument) => argument !== '' && nameOf(argument) === name)
    .map((argument) => {
      const equals = argument.indexOf('=');
      return equals === -1 ? true : decodePart(argument.slice(equals + 1));
    });
}

/** The query without a name, in whatever encoding; the rest stays byte for byte. */
export function withoutQueryName(query: string, name: string): string {
  if (query === '') return query;
  return query
    .split('&')
    .filter((argument) => argument === '' || nameOf(argument) !== name)
    .join('&');
}
