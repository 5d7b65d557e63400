import { consumerId } from '#resources/ids.ts';
import { refOf } from '#resources/kind.ts';
import { kongConsumer } from '#resources/kong-consumer.ts';
import type { Backend } from '#admin/backend.ts';
import {
  credentialId,
  credentialsOf,
  findCredentialOf,
  showCredential,
  type OwnedCredential,
} from '#admin/credential-store.ts';
import { chosenId, notFound } from '#admin/errors.ts';
import { checkKey, keyArguments } from '#admin/key-arguments.ts';
import { changeKey, createKey, removeKey, replaceKey } from '#admin/key-writes.ts';
import { listAnswer, nestedList } from '#admin/listing.ts';
import { consumerOrFail, isUuid } from '#admin/look-up.ts';
import { argumentsOf, created, noContent, ok, type AdminRequest, type Endpoint } from '#admin/request-context.ts';

/** The arguments without the consumer: here the path says whose the credential is. */
function keyArgumentsOf(request: AdminRequest) {
  const { consumer: _, ...args } = argumentsOf(request, keyArguments);
  return args;
}

/** `/consumers/{consumer}/key-auth` (kong-facts 3.2, 3.7). */
export function consumerKeyEndpoints(backend: Backend): Endpoint[] {
  const ofPath = (request: AdminRequest) => consumerOrFail(backend, request.param('consumer'));
  const find = (request: AdminRequest) => findCredentialOf(backend, ofPath(request), request.param('key'));
  const one = (request: AdminRequest): OwnedCredential => {
    const found = find(request);
    if (found === undefined) throw notFound();
    return found;
  };
  const list = async (request: AdminRequest) => {
    const consumer = ofPath(request);
    const all = credentialsOf(backend, consumer).map((owned) => ({ id: credentialId(owned.secret), item: owned }));
    const view = nestedList(request, `/consumers/${consumerId(consumer, refOf(kongConsumer, consumer))}/key-auth`);
    return listAnswer(all, view, async (owned) => showCredential(backend, owned));
  };
  const create = async (request: AdminRequest) => {
    const consumer = ofPath(request);
    return created(await createKey(backend, consumer, checkKey(backend, keyArgumentsOf(request), undefined)));
  };
  const put = async (request: AdminRequest) => {
    const found = find(request);
    const key = request.param('key');
    const args = keyArgumentsOf(request);
    const fields = () => checkKey(backend, isUuid(key) ? args : { ...args, key }, found);
    if (found !== undefined) return ok(await replaceKey(backend, found, fields()));
    if (isUuid(key)) throw chosenId(key, 'make a credential by POST or by its key');
    return ok(await createKey(backend, ofPath(request), fields()));
  };
  const patch = async (request: AdminRequest) => {
    const owned = one(request);
    return ok(await changeKey(backend, owned, checkKey(backend, argumentsOf(request, keyArguments), owned)));
  };
  const remove = async (request: AdminRequest) => {
    await removeKey(backend, one(request));
    return noContent;
  };
  const get = async (request: AdminRequest) => ok(await showCredential(backend, one(request)));
  return [
    { path: '/consumers/:consumer/key-auth', methods: { GET: list, POST: create } },
    { path: '/consumers/:consumer/key-auth/:key', methods: { GET: get, PUT: put, PATCH: patch, DELETE: remove } },
  ];
}
