import { LineCounter, parseAllDocuments, type Document, type Tags } from 'yaml';
import type { FileProblem } from './source.ts';

/** The text is not YAML or JSON; says where. Never quotes the text, which may hold keys. */
export class ManifestSyntaxError extends Error {
  readonly problem: FileProblem;
  constructor(problem: FileProblem) {
    super(`${problem.file}:${problem.line}:${problem.column ?? 1}: ${problem.message}`);
    this.problem = problem;
  }
}

/**
 * YAML as kubectl reads it: version 1.1 (`yes` is a boolean, `010` is 8), but without its times and its
 * numbers in base 60, which stay text there too.
 */
export const yamlOptions = {
  version: '1.1',
  merge: true,
  prettyErrors: false,
  customTags: (tags: Tags): Tags =>
    tags.filter(
      (tag) => typeof tag === 'string' || (tag.tag !== 'tag:yaml.org,2002:timestamp' && tag.format !== 'TIME'),
    ),
} as const;

/** More aliases of one anchor than any manifest has, nested ones multiplied: "billion laughs" is refused. */
const maxAliasCount = 100;

/** The messages of the parser that quote the text, up to where they do. */
const quoting =
  /^(Not a YAML token|Block scalar header includes extra characters|Unexpected [\w-]+ token in YAML \w+|Unresolved tag|Unresolved alias|Invalid escape sequence|Expected a flow scalar value, but found)\b.*/s;

/** What is wrong with a text, without any of the text, and holding on to none of it. */
function withoutText(message: string): string {
  return JSON.parse(JSON.stringify(message.replace(quoting, '$1'))) as string;
}

/** Where in a text an offset is. Line and column count from 1. */
export type FindPlace = (offset: number) => { readonly line: number; readonly column: number };

function placesIn(lines: LineCounter): FindPlace {
  return (offset) => {
    const { line, col } = lines.linePos(offset);
    return { line: line || 1, column: col || 1 };
  };
}

const tooDeep = 'is nested too deeply';

function compose(file: string, text: string, lines: LineCounter): Document.Parsed[] {
  try {
    // With nothing but comments the parser gives a list without documents.
    return [...parseAllDocuments(text, { ...yamlOptions, lineCounter: lines })];
  } catch {
    // Its only way to throw: so many levels that the stack is full.
    throw new ManifestSyntaxError({ file, line: 1, column: 1, message: tooDeep, isError: true });
  }
}

/** The documents of a text, which may be JSON. @throws ManifestSyntaxError */
export function parseDocuments(file: string, text: string): { documents: Document.Parsed[]; placeOf: FindPlace } {
  const lines = new LineCounter();
  const documents = compose(file, text, lines);
  const placeOf = placesIn(lines);
  const error = documents.flatMap((document) => document.errors)[0];
  if (error === undefined) return { documents, placeOf };
  throw new ManifestSyntaxError({
    file,
    ...placeOf(error.pos[0]),
    message: error.code === 'RESOURCE_EXHAUSTION' ? tooDeep : withoutText(error.message),
    isError: true,
  });
}

function valueFault(error: unknown): string {
  if (error instanceof ReferenceError) return withoutText(error.message);
  return error instanceof TypeError ? 'an alias stands inside its own anchor' : `is too large, or ${tooDeep}`;
}

/**
 * The plain JSON value of a document, a copy that holds on to nothing: a string cut out of a text may keep
 * the whole text, keys and all, alive (V8's sliced strings).
 *
 * @throws ManifestSyntaxError if it has none: an alias without its anchor, or too many of them
 */
export function plainValue(file: string, document: Document.Parsed, placeOf: FindPlace): unknown {
  try {
    return JSON.parse(JSON.stringify(document.toJS({ maxAliasCount }) ?? null)) as unknown;
  } catch (error) {
    const place = placeOf(document.contents?.range[0] ?? 0);
    throw new ManifestSyntaxError({ file, ...place, message: valueFault(error), isError: true });
  }
}
