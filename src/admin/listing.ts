import { AdminError, invalidOption } from './errors.ts';

export interface Identified {
  readonly id: string;
  readonly tags?: readonly string[] | null;
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly next: string | null;
  readonly offset?: string;
}

type Query = Readonly<Record<string, string | undefined>>;

const defaultSize = 100;
const largestSize = 1_000;

function sizeOf(text: string | undefined): number {
  if (text === undefined) return defaultSize;
  const fault = /^-?\d+$/.test(text) ? `size must be an integer between 1 and ${largestSize}` : 'size must be a number';
  const size = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (size >= 1 && size <= largestSize) return size;
  throw new AdminError(400, { code: 9, name: 'invalid size', message: fault });
}

/** The id behind which the page begins. */
function startOf(offset: string | undefined): string {
  if (offset === undefined || offset === '') return '';
  const id = Buffer.from(offset, 'base64').toString('utf8');
  if (Buffer.from(id, 'utf8').toString('base64') === offset) return id;
  throw new AdminError(400, {
    code: 7,
    name: 'invalid offset',
    message: `'${offset}' is not a valid offset: bad base64 encoding`,
  });
}

/** `a,b` is both, `a/b` is either (kong-facts 3.5). */
function tagFilter(text: string | undefined): (tags: readonly string[]) => boolean {
  if (text === undefined) return () => true;
  if (text === '') throw invalidOption('tags', 'cannot be null');
  if (text.includes(',') && text.includes('/')) throw invalidOption('tags', 'invalid filter syntax');
  const wanted = text.split(/[,/]/);
  if (wanted.length > 5 || wanted.includes('')) throw invalidOption('tags', 'invalid filter syntax');
  return text.includes('/')
    ? (tags) => wanted.some((tag) => tags.includes(tag))
    : (tags) => wanted.every((tag) => tags.includes(tag));
}

/** Which of all entities a list shows. */
export interface Selection<T> {
  readonly page: readonly T[];
  readonly next: string | null;
  readonly offset: string | undefined;
}

/**
 * Chooses a page of a list, ordered by id.
 *
 * @param path of the list, for `next`
 * @throws AdminError 400 for a bad size, offset or tags
 */
export function selectPage<T extends Identified>(all: readonly T[], query: Query, path: string): Selection<T> {
  const size = sizeOf(query['size']);
  const start = startOf(query['offset']);
  const fits = tagFilter(query['tags']);
  const rest = all
    .filter((entity) => entity.id > start && fits(entity.tags ?? []))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const page = rest.slice(0, size);
  const last = page.at(-1);
  if (rest.length <= size || last === undefined) return { page, next: null, offset: undefined };
  const offset = Buffer.from(last.id, 'utf8').toString('base64');
  const kept = ['size', 'tags'].filter((name) => query[name] !== undefined).map((name) => [name, query[name] ?? '']);
  return { page, offset, next: `${path}?${new URLSearchParams([['offset', offset], ...kept]).toString()}` };
}

/** The body of a list. */
export function pageBody<T>(data: readonly T[], selection: Selection<unknown>): Page<T> {
  const { next, offset } = selection;
  return { data, next, ...(offset === undefined ? {} : { offset }) };
}
