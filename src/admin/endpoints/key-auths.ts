import type { Backend } from '#admin/backend.ts';
import {
  allCredentials,
  credentialId,
  findCredential,
  showCredential,
  type OwnedCredential,
} from '#admin/credential-store.ts';
import { consumerEntity } from '#admin/entity.ts';
import { chosenId, entityNotFound, notFound } from '#admin/errors.ts';
import { checkKey, consumerStated, keyArguments } from '#admin/key-arguments.ts';
import { changeKey, createKey, removeKey, replaceKey } from '#admin/key-writes.ts';
import { flatList, listAnswer } from '#admin/listing.ts';
import { isUuid } from '#admin/look-up.ts';
import { argumentsOf, created, noContent, ok, type AdminRequest, type Endpoint } from '#admin/request-context.ts';

/** `/key-auths`: the same credentials whoever has them (kong-facts 3.2). */
export function keyAuthEndpoints(backend: Backend): Endpoint[] {
  const find = (request: AdminRequest) => findCredential(backend, request.param('key'));
  const one = (request: AdminRequest): OwnedCredential => {
    const found = find(request);
    if (found === undefined) throw notFound();
    return found;
  };
  const list = async (request: AdminRequest) => {
    const all = allCredentials(backend).map((owned) => ({ id: credentialId(owned.secret), item: owned }));
    return listAnswer(all, flatList(request, '/key-auths'), async (owned) => showCredential(backend, owned));
  };
  const create = async (request: AdminRequest) => {
    const fields = checkKey(backend, argumentsOf(request, keyArguments), undefined);
    return created(await createKey(backend, consumerStated(backend, fields), fields));
  };
  const put = async (request: AdminRequest) => {
    const found = find(request);
    const key = request.param('key');
    if (found === undefined && isUuid(key)) throw chosenId(key, 'make a credential by POST or by its key');
    const args = argumentsOf(request, keyArguments);
    const fields = checkKey(backend, isUuid(key) ? args : { ...args, key }, found);
    const consumer = consumerStated(backend, fields);
    const isNew = found === undefined;
    return ok(isNew ? await createKey(backend, consumer, fields) : await replaceKey(backend, found, fields));
  };
  const patch = async (request: AdminRequest) => {
    const owned = find(request);
    const key = request.param('key');
    if (owned === undefined) throw entityNotFound(isUuid(key) ? { id: key } : { key });
    return ok(await changeKey(backend, owned, checkKey(backend, argumentsOf(request, keyArguments), owned)));
  };
  const remove = async (request: AdminRequest) => {
    const owned = find(request);
    if (owned !== undefined) await removeKey(backend, owned);
    return noContent; // flat deletes of nothing succeed (kong-facts 3.3)
  };
  const get = async (request: AdminRequest) => ok(await showCredential(backend, one(request)));
  return [
    { path: '/key-auths', methods: { GET: list, POST: create } },
    { path: '/key-auths/:key', methods: { GET: get, PUT: put, PATCH: patch, DELETE: remove } },
    { path: '/key-auths/:key/consumer', methods: { GET: (request) => ok(consumerEntity(one(request).consumer)) } },
  ];
}
