import { AdminError, invalidOption } from './errors.ts';
import { ok, type AdminAnswer, type AdminRequest } from './request-context.ts';

/** Something that a list may show. */
export interface Listed<T> {
  readonly id: string;
  readonly tags?: readonly string[] | null | undefined;
  readonly item: T;
}

/** How a list is asked for, and what the address of its next page repeats. */
export interface ListView {
  readonly path: string;
  readonly query: AdminRequest['query'];
  readonly repeated: readonly string[];
}

/** The view of `/consumers`. */
export function flatList(request: AdminRequest, path: string): ListView {
  return { path, query: request.query, repeated: ['tags', 'size'] };
}

/** The view of `/consumers/{id}/key-auth`: Kong ignores tags there, and forgets the size (kong-facts 3.5). */
export function nestedList(request: AdminRequest, path: string): ListView {
  return { path, query: { ...request.query, tags: undefined }, repeated: [] };
}

const defaultSize = 100;
const largestSize = 1_000;
const mostTags = 5;

function sizeOf(text: string | undefined): number {
  if (text === undefined) return defaultSize;
  const size = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isInteger(size) && size >= 1 && size <= largestSize) return size;
  const fault = Number.isNaN(size) ? 'a number' : `an integer between 1 and ${largestSize}`;
  throw new AdminError(400, { code: 9, name: 'invalid size', message: `size must be ${fault}` });
}

/** The id behind which the page begins. */
function startOf(offset: string | undefined): string {
  if (offset === undefined || offset === '') return '';
  const id = Buffer.from(offset, 'base64').toString('utf8');
  if (Buffer.from(id, 'utf8').toString('base64') === offset) return id;
  const message = `'${offset}' is not a valid offset: bad base64 encoding`;
  throw new AdminError(400, { code: 7, name: 'invalid offset', message });
}

/** `a,b` is both, `a/b` is either (kong-facts 3.5). */
function tagFilter(text: string | undefined): (tags: readonly string[]) => boolean {
  if (text === undefined) return () => true;
  if (text === '') throw invalidOption('tags', 'cannot be null');
  const wanted = text.split(/[,/]/);
  if ((text.includes(',') && text.includes('/')) || wanted.length > mostTags || wanted.includes('')) {
    throw invalidOption('tags', 'invalid filter syntax');
  }
  return text.includes('/')
    ? (tags) => wanted.some((tag) => tags.includes(tag))
    : (tags) => wanted.every((tag) => tags.includes(tag));
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
  readonly offset?: string;
}

function selectPage<T>(all: readonly Listed<T>[], { path, query, repeated }: ListView): Page<T> {
  const size = sizeOf(query['size']);
  const start = startOf(query['offset']);
  const fits = tagFilter(query['tags']);
  const rest = all.filter(({ id, tags }) => id > start && fits(tags ?? [])).sort((a, b) => (a.id < b.id ? -1 : 1));
  const page = rest.slice(0, size);
  const items = page.map(({ item }) => item);
  const last = page.at(-1);
  if (rest.length <= size || last === undefined) return { items, next: null };
  const offset = Buffer.from(last.id, 'utf8').toString('base64');
  const kept = repeated.flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]]]));
  return { items, offset, next: `${path}?${new URLSearchParams([['offset', offset], ...kept]).toString()}` };
}

/**
 * Answers with a page of a list, ordered by id; only what is on the page is made to be shown.
 *
 * @throws AdminError 400 for a bad size, offset or tags
 */
export async function listAnswer<T>(
  all: readonly Listed<T>[],
  view: ListView,
  show: (item: T) => unknown,
): Promise<AdminAnswer> {
  const { items, ...rest } = selectPage(all, view);
  return ok({ data: await Promise.all(items.map(async (item) => show(item))), ...rest });
}
