/** How any request is read and answered (kong-facts 3.1), and what must never get through. */
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ingressNamed, startAdmin, type TestAdmin } from '../../support/admin.ts';
import { send } from '../../support/client.ts';

let admin: TestAdmin;
beforeEach(async () => {
  admin = await startAdmin([ingressNamed('mocking')]);
});
afterEach(async () => admin.close());

const notFound = { message: 'Not found' };
const withType = (type: string) => [['Content-Type', type]] as const;

/** Sends bytes as they are, in chunks and without a Content-Length. */
async function sendChunked(path: string, headers: Record<string, string>, bytes: Buffer | string) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const options = { port: admin.port, host: '127.0.0.1', method: 'POST', path, headers, agent: false } as const;
    const request = httpRequest({ ...options, headers: { ...headers, 'Transfer-Encoding': 'chunked' } }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end(bytes);
  });
}

describe('bodies', () => {
  const boundary = 'multipart/form-data; boundary=b';
  const part = (name: string, value: string, more = '') =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;

  test.for([
    { type: 'application/json', body: '{"username":"bob"}' },
    { type: 'application/json; charset=utf-8', body: '{"username":"bob"}' },
    { type: 'application/x-www-form-urlencoded', body: 'username=bob' },
    { type: 'application/x-www-form-urlencoded; charset=utf-8', body: '%75sername=b%6fb' },
    { type: boundary, body: `${part('username', 'bob')}--b--\r\n` },
    { type: boundary, body: `${part('username', 'bob', '; filename="f"')}--b--\r\n` },
    { type: 'multipart/form-data; boundary="a b"', body: part('username', 'bob').replace('--b', '--a b') + '--a b--' },
  ])('$type with $body makes bob', async ({ type, body }) => {
    const answer = await admin.call('POST /consumers', body, withType(type));
    expect(answer).toMatchObject({ status: 201, body: { username: 'bob' } });
  });

  test.for(['{', '', '[]', '[{"username":"bob"}]', '"bob"', '1', 'null', '{"username":"bob"}}'])(
    'the JSON body %j cannot be parsed',
    async (body) => {
      const answer = await admin.call('POST /consumers', body, withType('application/json'));
      expect(answer).toMatchObject({ status: 400, body: { message: 'Cannot parse JSON body' } });
    },
  );

  test('a JSON content type with no body at all cannot be parsed', async () => {
    const answer = await sendChunked('/consumers', { 'Content-Type': 'application/json' }, '');
    expect(answer).toEqual({ status: 400, text: '{"message":"Cannot parse JSON body"}' });
  });

  test.for([
    { type: 'application/json', body: Buffer.from('{"username":"\xff"}', 'latin1'), message: 'Cannot parse JSON body' },
    { type: 'application/x-www-form-urlencoded', body: 'username=%ff', message: 'Cannot parse form body' },
    {
      type: 'application/json',
      body: String.raw`{"username":"\ud800"}`,
      message: 'Arguments hold text that is not valid Unicode',
    },
    { type: boundary, body: 'no parts', message: 'Cannot parse multipart body' },
  ])('text that is not Unicode is refused: $message', async ({ type, body, message }) => {
    const answer = await sendChunked('/consumers', { 'Content-Type': type }, body);
    expect(answer).toEqual({ status: 400, text: JSON.stringify({ message }) });
  });

  test.for(['text/plain', 'application/xml', 'application/yaml', 'garbage'])(
    'the content type %s is 415 with an empty body',
    async (type) => {
      const answer = await admin.call('POST /consumers', 'username=bob', withType(type));
      expect(answer).toMatchObject({ status: 415, text: '' });
    },
  );

  test('a body without a content type is 415 with an empty body', async () => {
    expect(await sendChunked('/consumers', {}, 'username=bob')).toEqual({ status: 415, text: '' });
    const answer = await send({ port: admin.port, method: 'POST', path: '/consumers', body: 'username=bob' });
    expect(answer).toMatchObject({ status: 415, body: '' });
  });

  test('no body and no content type is a write of nothing', async () => {
    expect(await sendChunked('/consumers', {}, '')).toMatchObject({ status: 400 });
    const answer = await send({
      port: admin.port,
      method: 'POST',
      path: '/consumers',
      headers: [['Content-Length', '0']],
    });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 2 });
  });

  test.for(['GET /consumers', 'DELETE /consumers/nobody', 'OPTIONS /consumers'])(
    'the body of %s is not read',
    async (line) => {
      for (const type of ['application/json', 'text/plain']) {
        expect((await admin.call(line, '{broken', withType(type))).status).toBeLessThan(300);
      }
    },
  );

  test('a form with more than 1,000 arguments is refused', async () => {
    const form = (count: number) => Array.from({ length: count }, (_, i) => `a${i}=1`).join('&');
    expect((await admin.call('POST /consumers', form(1_000))).body).toMatchObject({ code: 2 });
    expect((await admin.call('POST /consumers', form(1_001))).body).toEqual({ message: 'Too many arguments' });
  });

  test('a JSON body with more than 1,000 values at any depth is refused', async () => {
    const tags = (count: number) => ({ username: 'bob', tags: Array.from({ length: count }, (_, i) => `t${i}`) });
    expect((await admin.call('POST /consumers', tags(998))).body).toMatchObject({ code: 2 });
    expect((await admin.call('POST /consumers', tags(999))).body).toEqual({ message: 'Too many arguments' });
  });

  test.for([
    ['JSON', `{"config":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`, 'application/json'],
    [
      'JSON of a plugin',
      `{"name":"key-auth","config":${'{"a":'.repeat(200_000)}1${'}'.repeat(200_001)}`,
      'application/json',
    ],
    ['a form', `a${'.b'.repeat(1_000_000)}=1`, 'application/x-www-form-urlencoded'],
    ['a form with brackets', `a${'[b]'.repeat(1_000_000)}=1`, 'application/x-www-form-urlencoded'],
  ] as const)('%s that is nested without end is refused', async ([, body, type]) => {
    const answer = await admin.call('POST /routes/mocking/plugins', body, withType(type));
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining('nested') } });
  });

  test('a body of more than 10 MB is 413 whether its length is stated or not, and all else works on', async () => {
    const big = JSON.stringify({ username: 'x'.repeat(10 * 1024 * 1024) });
    const stated = await admin.call('POST /consumers', big, withType('application/json'));
    expect(stated).toMatchObject({ status: 413, body: { message: 'Payload too large' } });
    const chunked = await sendChunked('/consumers', { 'Content-Type': 'application/json' }, big);
    expect(chunked.status).toBe(413);
    expect((await admin.call('GET /consumers')).body).toEqual({ data: [], next: null });
  });

  test('a body of just under 10 MB is read', async () => {
    const username = 'x'.repeat(10 * 1024 * 1024 - 20);
    const answer = await admin.call('POST /consumers', { username });
    expect(answer.status).toBe(201);
  });
});

describe('paths and methods', () => {
  test.for(['/', '/consumers', '/consumers/', '/routes/mocking/plugins', '/routes/mocking/plugins/', '/status/'])(
    'GET %s is 200, and HEAD has no body',
    async (path) => {
      const get = await admin.call(`GET ${path}`);
      expect(get.status).toBe(200);
      expect(get.headers['content-type']).toBe('application/json; charset=utf-8');
      const head = await admin.call(`HEAD ${path}`);
      expect(head).toMatchObject({ status: 200, text: '' });
    },
  );

  test.for(['/nothing', '/consumers/a/b', '/consumers/a/key-auth/b/c', '/routes/mocking/nothing', '//consumers'])(
    'the path %s is unknown with any method',
    async (path) => {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
        expect(await admin.call(`${method} ${path}`)).toMatchObject({ status: 404, body: notFound });
      }
      const broken = await admin.call(`POST ${path}`, '{broken', withType('text/plain'));
      expect(broken).toMatchObject({ status: 404, body: notFound });
    },
  );

  test.for([
    'DELETE /consumers',
    'PUT /consumers',
    'PATCH /routes/mocking/plugins',
    'POST /consumers/bob',
    'POST /key-auths/some-key',
    'DELETE /key-auths/some-key/consumer',
    'POST /',
    'PUT /plugins/enabled',
    'TRACE /consumers',
    'PROPFIND /consumers',
    'QUERY /consumers',
  ])('%s is not allowed', async (line) => {
    expect(await admin.call(line)).toMatchObject({ status: 405, body: { message: 'Method not allowed' } });
  });

  test.for([
    ['/consumers', 'GET, HEAD, OPTIONS, POST'],
    ['/consumers/bob', 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT'],
    ['/services', 'OPTIONS, POST'],
  ] as const)('OPTIONS %s says what is allowed', async ([path, allowed]) => {
    const { status, text, headers } = await admin.call(`OPTIONS ${path}`);
    expect({ status, text }).toEqual({ status: 204, text: '' });
    expect(headers).toMatchObject({
      allow: allowed,
      'access-control-allow-methods': allowed,
      'access-control-allow-headers': 'Content-Type',
    });
  });

  test('a path that is not percent-encoded UTF-8 is 400 with the usual headers', async () => {
    for (const path of ['/consumers/%zz', '/consumers/%ff', '/key-auths/%c0%af']) {
      const answer = await admin.call(`GET ${path}`);
      expect(answer).toMatchObject({ status: 400, body: { message: 'the path is not percent-encoded UTF-8' } });
      expect(answer.headers).toMatchObject({ server: 'latchkey/1.2.3' });
    }
  });

  const odd = ['__proto__', 'constructor', 'toString', '%00', 'a%2Fb', '%2e%2e', '..', '%252e', 'a;b', '%F0%9F%94%91'];
  const names = [...odd, '%20', 'x'.repeat(8_000)].map((name) => ({ name, title: name.slice(0, 20) }));
  test.for(names)('the name $title finds nothing and breaks nothing', async ({ name }) => {
    for (const before of ['consumers', 'key-auths', 'plugins', 'routes', 'schemas/plugins']) {
      expect((await admin.call(`GET /${before}/${name}`)).status).toBe(404);
    }
    expect((await admin.call(`DELETE /consumers/${name}`)).status).toBe(204);
    expect((await admin.call(`GET /consumers/${name}/key-auth`)).status).toBe(404);
  });

  test('an empty name finds nothing', async () => {
    for (const path of ['/consumers//', '/consumers//key-auth', '/routes//plugins']) {
      expect(await admin.call(`GET ${path}`)).toMatchObject({ status: 404, body: notFound });
    }
  });

  test('a name is decoded once', async () => {
    await admin.call('POST /consumers', { username: 'a%2Fb' });
    expect((await admin.call('GET /consumers/a%252Fb')).body).toMatchObject({ username: 'a%2Fb' });
    expect((await admin.call('GET /consumers/a%2Fb')).status).toBe(404);
  });
});

describe('headers', () => {
  test('every answer has the server and the time it took', async () => {
    for (const line of ['GET /consumers', 'GET /nothing', 'POST /consumers', 'DELETE /consumers/bob']) {
      const { headers } = await admin.call(line);
      expect(headers).toMatchObject({
        server: 'latchkey/1.2.3',
        'x-kong-admin-latency': expect.stringMatching(/^\d+$/),
      });
    }
  });

  test.for([
    ['http://localhost:3000', true],
    ['https://127.0.0.1', true],
    ['http://[::1]:9000', true],
    ['https://example.com', false],
    ['https://localhost.example.com', false],
    ['http://127.0.0.1.example.com', false],
    ['http://localhost@example.com', false],
    ['null', false],
  ] as const)('a page of %s may read: %s', async ([origin, isAllowed]) => {
    const { headers } = await admin.call('GET /consumers', undefined, [['Origin', origin]]);
    expect(headers['access-control-allow-origin']).toBe(isAllowed ? origin : undefined);
    expect(headers['vary']).toBe('Origin');
  });
});

describe('browsers', () => {
  const host = (name: string) => [['Host', name]] as const;

  test.for([
    'localhost',
    'localhost:8001',
    '127.0.0.1:8001',
    '[::1]:8001',
    'a.localhost',
    'LOCALHOST',
    '10.1.2.3:8001',
  ])('the name %s is served', async (name) => {
    expect((await admin.call('GET /consumers', undefined, host(name))).status).toBe(200);
  });

  test.for(['example.com', 'example.com:8001', '127.0.0.1.example.com', 'localhost.example.com', 'localhost.'])(
    'the name %s, which may have been rebound, is refused',
    async (name) => {
      for (const line of ['GET /key-auths', 'POST /consumers', 'OPTIONS /consumers', 'GET /nothing']) {
        expect((await admin.call(line, undefined, host(name))).status).toBe(403);
      }
    },
  );

  test.for([
    [['Origin', 'https://example.com']],
    [['Origin', 'null']],
    [['Sec-Fetch-Site', 'cross-site']],
    [
      ['Origin', 'http://localhost:3000'],
      ['Sec-Fetch-Site', 'cross-site'],
    ],
  ] as [string, string][][])('a write with %j is refused', async (headers) => {
    for (const line of ['POST /consumers', 'PUT /consumers/bob', 'PATCH /consumers/bob', 'DELETE /consumers/bob']) {
      expect((await admin.call(line, 'username=bob', headers)).status).toBe(403);
    }
    expect(admin.source.ofKind('KongConsumer')).toEqual([]);
  });

  test.for([
    [['Origin', 'http://localhost:3000']],
    [['Sec-Fetch-Site', 'same-origin']],
    [['Sec-Fetch-Site', 'none']],
  ] as [string, string][][])('a write with %j is made', async (headers) => {
    expect((await admin.call('POST /consumers', 'username=bob', headers)).status).toBe(201);
  });
});

describe('prototypes', () => {
  test.for([
    ['JSON', '{"__proto__":{"username":"bob"}}', 'application/json'],
    ['a form', '__proto__.username=bob', 'application/x-www-form-urlencoded'],
    ['a form with brackets', '__proto__[username]=bob', 'application/x-www-form-urlencoded'],
    ['a constructor', 'constructor.prototype.username=bob', 'application/x-www-form-urlencoded'],
  ] as const)('a field of the prototype in %s is an unknown field', async ([, body, type]) => {
    const answer = await admin.call('POST /consumers', body, withType(type));
    const name = body.includes('constructor') ? 'constructor' : '__proto__';
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(`"${name}":"unknown field"`);
    expect(answer.text).toContain(`${name}: unknown field`);
    expect(({} as Record<string, unknown>)['username']).toBeUndefined();
  });

  test('a field of the prototype in a config is an unknown field', async () => {
    const body = '{"name":"key-auth","config":{"__proto__":{"key_in_body":true}}}';
    const answer = await admin.call('POST /routes/mocking/plugins', body, withType('application/json'));
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('"fields":{"config":{"__proto__":"unknown field"}}');
  });
});

describe('writes', () => {
  test('an answer waits until the write is in force', async () => {
    admin.events.length = 0;
    for (const line of ['POST /consumers', 'PUT /consumers/bob', 'PATCH /consumers/bob', 'DELETE /consumers/bob']) {
      await admin.call(line, line.includes('DELETE') ? undefined : 'username=bob');
      expect(admin.events.splice(0)).toEqual(['delivered', 'settled']);
    }
  });

  test('what keeps the source from writing is told, and the next write works', async () => {
    admin.source.failWith(new Error('/etc/latchkey/a.yaml:3:1: not YAML'));
    const answer = await admin.call('POST /consumers', 'username=bob');
    expect(answer).toMatchObject({
      status: 500,
      body: { message: 'cannot write: /etc/latchkey/a.yaml:3:1: not YAML' },
    });
    admin.source.failWith(undefined);
    expect((await admin.call('POST /consumers', 'username=bob')).status).toBe(201);
  });

  test('what keeps the source from reading a key is told', async () => {
    await admin.close();
    const read = async () => Promise.reject(new Error('EACCES: /etc/latchkey/a.yaml'));
    const source = { write: async () => undefined, start: async () => undefined, stop: async () => undefined, read };
    const whole = await startAdmin([ingressNamed('mocking')]);
    await whole.call('POST /consumers', 'username=bob');
    await whole.call('POST /consumers/bob/key-auth', 'key=secret-key');
    admin = await startAdmin([], 'directory', { store: whole.store, source });
    const answer = await admin.call('GET /key-auths');
    expect(answer).toMatchObject({ status: 500, body: { message: 'cannot read: EACCES: /etc/latchkey/a.yaml' } });
    await whole.close();
  });

  test('a bug is told without its details, and logged without what the client sent', async () => {
    await admin.close();
    const digest = (_: string, secret: string): string => {
      throw new TypeError(`cannot digest ${secret}`);
    };
    admin = await startAdmin([], 'directory', { digest });
    const answer = await admin.call('GET /key-auths/secret-key?a=secret-key');
    expect(answer).toMatchObject({ status: 500, body: { message: 'An unexpected error occurred' } });
    expect(admin.logged).toHaveLength(1);
    expect(JSON.parse(admin.logged[0] ?? '')).toMatchObject({
      endpoint: 'GET /key-auths/:key',
      error: 'TypeError',
      frames: expect.stringContaining('credential-store.ts'),
    });
    expect(admin.logged.join('')).not.toContain('secret-key');
  });
});
