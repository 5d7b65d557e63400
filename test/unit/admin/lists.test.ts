/** Pages and tags of lists (kong-facts 3.5). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAdmin, type TestAdmin } from '../../support/admin.ts';

let admin: TestAdmin;
beforeAll(async () => {
  admin = await startAdmin();
  for (let i = 0; i < 105; i += 1) {
    const tags = [...(i % 2 === 0 ? ['even'] : ['odd']), ...(i % 5 === 0 ? ['five'] : [])];
    await admin.call('POST /consumers', { username: `c${i}`, tags });
  }
  for (let i = 0; i < 3; i += 1) await admin.call('POST /consumers/c0/key-auth', { key: `key-${i}` });
});
afterAll(async () => admin.close());

interface Entity {
  readonly id: string;
  readonly tags: string[];
}

/** Follows `next` from page to page. */
async function pagesOf(path: string): Promise<Entity[][]> {
  const pages: Entity[][] = [];
  for (let next: string | null = path; next !== null;) {
    const { body } = await admin.call(`GET ${next}`);
    pages.push(body.data as Entity[]);
    next = body.next as string | null;
  }
  return pages;
}

describe('pages', () => {
  test.for([
    ['/consumers', [100, 5]],
    ['/consumers?size=50', [50, 50, 5]],
    ['/consumers?size=105', [105]],
    ['/consumers?size=1000', [105]],
    ['/consumers?size=10&tags=five', [10, 10, 1]],
    ['/consumers?size=50&size=1', [50, 50, 5]],
    ['/consumers?nonsense=1&size=60', [60, 45]],
    ['/key-auths?size=2', [2, 1]],
  ] as const)('%s has pages of %j, each entity once', async ([path, sizes]) => {
    const pages = await pagesOf(path);
    expect(pages.map((page) => page.length)).toEqual(sizes);
    expect(new Set(pages.flat().map(({ id }) => id)).size).toBe(pages.flat().length);
  });

  test('the address of the next page repeats what was asked, the last has none', async () => {
    const { body } = await admin.call('GET /consumers?size=10&tags=five');
    expect(body.next).toBe(`/consumers?offset=${encodeURIComponent(body.offset as string)}&tags=five&size=10`);
    expect((await admin.call('GET /consumers?size=1000')).body).not.toHaveProperty('offset');
  });

  test('a nested list goes on by the id of its parent, without size and tags, which it ignores', async () => {
    const parent = (await admin.call('GET /consumers/c0')).body.id as string;
    const { body } = await admin.call('GET /consumers/c0/key-auth/?size=2&tags=none');
    expect(body.data).toHaveLength(2);
    expect(body.next).toBe(`/consumers/${parent}/key-auth?offset=${encodeURIComponent(body.offset as string)}`);
    expect((await admin.call(`GET ${body.next as string}`)).body.data).toHaveLength(1);
  });

  test.for([
    ['size=0', 9, 'invalid size', 'size must be an integer between 1 and 1000'],
    ['size=1001', 9, 'invalid size', 'size must be an integer between 1 and 1000'],
    ['size=-1', 9, 'invalid size', 'size must be an integer between 1 and 1000'],
    ['size=1.5', 9, 'invalid size', 'size must be an integer between 1 and 1000'],
    ['size=x', 9, 'invalid size', 'size must be a number'],
    ['size=', 9, 'invalid size', 'size must be a number'],
    ['offset=x', 7, 'invalid offset', "'x' is not a valid offset: bad base64 encoding"],
    ['tags=', 11, 'invalid options', 'invalid option (tags: cannot be null)'],
    ['tags=a,b/c', 11, 'invalid options', 'invalid option (tags: invalid filter syntax)'],
    ['tags=a,,b', 11, 'invalid options', 'invalid option (tags: invalid filter syntax)'],
    ['tags=a,b,c,d,e,f', 11, 'invalid options', 'invalid option (tags: invalid filter syntax)'],
  ] as const)('?%s is refused', async ([query, code, name, message]) => {
    expect(await admin.call(`GET /consumers?${query}`)).toMatchObject({ status: 400, body: { code, name, message } });
  });
});

describe('tags', () => {
  test.for([
    ['even', 53],
    ['even,five', 11],
    ['odd,even', 0],
    ['odd/even', 105],
    ['five/none', 21],
    ['none', 0],
  ] as const)('?tags=%s finds %i', async ([tags, count]) => {
    expect((await admin.call(`GET /consumers?size=1000&tags=${tags}`)).body.data).toHaveLength(count);
  });
});
