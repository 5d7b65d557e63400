import { get, head, type RawCase } from './raw-case.ts';

const key = 'apikey: bobs-key';
/** Every spelling of who calls that an upstream might take for ours (CGI, WSGI and PHP read `_` and `.` as `-`). */
const forged = [
  'X-Consumer-Username: forged',
  'x-consumer-id: forged',
  'X_Consumer_Username: forged',
  'X.Consumer.ID: forged',
  'X-Consumer_Custom-ID: forged',
  'X-CREDENTIAL-IDENTIFIER: forged',
  'X_Credential_Identifier: forged',
  'X-Credential-Username: forged',
  'X-Anonymous-Consumer: forged',
  'X_Anonymous_Consumer: forged',
  'X-Authenticated-Groups: forged',
  'x.authenticated.groups: forged',
  'X-Consumer-Groups: forged',
];
const bob = 'X-Consumer-Username: bob\r\n';

/** Who calls: nothing that a client sends can pass for what the gateway says, and a key is one key. */
export const identity: readonly RawCase[] = [
  ['forged on an open route', get('/', ...forged), '200', ['GET / ', '!forged']],
  ['forged with a key', get('/guarded', ...forged, key), '200', [bob, '!forged']],
  ['forged without a key', get('/guarded', ...forged), '401'],
  [
    'forged by nobody in particular',
    get('/anonymous', ...forged),
    '200',
    ['X-Consumer-Username: nobody\r\n', 'X-Anonymous-Consumer: true\r\n', '!forged'],
  ],
  [
    'forged in trailers',
    `${head('POST /x HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked')}0\r\nX-Consumer-Username: forged\r\n\r\n`,
    '200',
    ['!forged'],
  ],
  ['Connection names who calls', get('/guarded', 'Connection: x-consumer-username, x-consumer-id', key), '200', [bob]],
  ['Connection names the key', get('/guarded', 'Connection: apikey', key), '200', [bob]],
  ['no key', get('/guarded'), '401'],
  ['a wrong key', get('/guarded', 'apikey: other'), '401'],
  ['an empty key', get('/guarded', 'apikey:'), '401'],
  ['a key of spaces', get('/guarded', 'apikey:    '), '401'],
  ['a key of 8 KiB', get('/guarded', `apikey: ${'k'.repeat(8_192)}`), '401'],
  ['a key beyond ASCII', get('/guarded', 'apikey: b\xf6bs-key'), '401'],
  ['a key in another case', get('/guarded', 'apikey: BOBS-KEY'), '401'],
  ['a key with a space after it', get('/guarded', 'apikey: bobs-key '), '200', [bob]],
  ['a key with more after it', get('/guarded', 'apikey: bobs-key2'), '401'],
  ['a key with a comma', get('/guarded', 'apikey: bobs-key, bobs-key'), '401'],
  ['the key twice', get('/guarded', key, key), '401'],
  ['the key twice, in another case', get('/guarded', key, 'ApiKey: bobs-key'), '401'],
  ['a wrong key before the right one', get('/guarded', 'apikey: other', key), '401'],
  ['the name in capitals', get('/guarded', 'APIKEY: bobs-key'), '200', [bob]],
  ['the name with an underscore', get('/hidden', 'x_key: bobs-key'), '401'],
  ['the key in the query', get('/guarded?apikey=bobs-key'), '200', [bob]],
  ['the key in the query, encoded', get('/guarded?apikey=bobs%2dkey'), '200', [bob]],
  ['the key in the query twice', get('/guarded?apikey=bobs-key&apikey=bobs-key'), '401'],
  ['a wrong header before a right query', get('/guarded?apikey=bobs-key', 'apikey: other'), '401'],
  ['a right header before a wrong query', get('/guarded?apikey=other', key), '200', [bob]],
  ['__proto__ as key', get('/guarded', 'apikey: __proto__'), '401'],
  ['constructor as key', get('/guarded?apikey=constructor'), '401'],
  ['__proto__ as a name in the query', get('/guarded?__proto__=x&constructor=y', key), '200', [bob]],
  ['a hidden key', get('/hidden', key), '200', [bob, '!bobs-key']],
  ['a hidden key under another name', get('/hidden', 'x-key: bobs-key'), '200', [bob, '!bobs-key']],
  ['a hidden key in the query', get('/hidden?a=1&apikey=bobs-key&b=2'), '200', [bob, '!bobs-key', 'a=1', 'b=2']],
  ['a preflight without a key is guarded', head('OPTIONS /guarded HTTP/1.1', 'Host: a', 'Origin: x'), '401'],
  ['HEAD without a key', head('HEAD /guarded HTTP/1.1', 'Host: a'), '401'],
];
