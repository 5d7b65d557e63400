import { refOf } from '#resources/kind.ts';
import { kongConsumer, type KongConsumer } from '#resources/kong-consumer.ts';
import type { Backend } from '#admin/backend.ts';
import { checkConsumer, consumerArguments, type ConsumerFields } from '#admin/consumer-arguments.ts';
import { changedConsumer, newConsumer } from '#admin/consumer-objects.ts';
import { change, creation, deletion } from '#admin/edits.ts';
import { consumerEntity } from '#admin/entity.ts';
import { badRequest, chosenId, conflict, entityNotFound } from '#admin/errors.ts';
import { secretDeletions } from '#admin/key-writes.ts';
import { flatList, listAnswer } from '#admin/listing.ts';
import { consumerOrFail, consumersNamed, findConsumer, isUuid, ourConsumers } from '#admin/look-up.ts';
import { argumentsOf, created, noContent, ok, type AdminRequest, type Endpoint } from '#admin/request-context.ts';

/** What was written, as everybody else now sees it. */
function readBack(backend: Backend, namespace: string, name: string) {
  const found = backend.store.get(kongConsumer, namespace, name);
  if (found === undefined) throw conflict(`KongConsumer ${namespace}/${name} was changed by somebody else meanwhile`);
  return consumerEntity(found);
}

async function createConsumer(backend: Backend, fields: ConsumerFields) {
  const object = newConsumer(backend, fields);
  const { namespace, name } = refOf(kongConsumer, object);
  await backend.write([creation(kongConsumer, object)]);
  return readBack(backend, namespace, name);
}

async function changeConsumer(backend: Backend, object: KongConsumer, fields: ConsumerFields) {
  const { namespace, name } = refOf(kongConsumer, object);
  await backend.write([change(kongConsumer, object, (current) => changedConsumer(current, fields, backend.now()))]);
  return readBack(backend, namespace, name);
}

/** Deletes a consumer with its credentials, first the consumer: what refers to it is then in force no more. */
async function removeConsumer(backend: Backend, object: KongConsumer): Promise<void> {
  const secrets = secretDeletions(backend, object, object.credentials ?? []);
  await backend.write([deletion(kongConsumer, object), ...secrets]);
}

/** `/consumers` (kong-facts 3.2, 3.7). */
export function consumerEndpoints(backend: Backend): Endpoint[] {
  const list = async (request: AdminRequest) => {
    const customId = request.query['custom_id'];
    if (customId === '') throw badRequest('custom_id must be an unempty string');
    const found = customId === undefined ? ourConsumers(backend) : consumersNamed(backend, 'custom_id', customId);
    const all = found.map(consumerEntity).map((entity) => ({ id: entity.id, tags: entity.tags, item: entity }));
    return listAnswer(all, flatList(request, '/consumers'), (entity) => entity);
  };
  const create = async (request: AdminRequest) => {
    const fields = checkConsumer(backend, argumentsOf(request, consumerArguments), undefined);
    return created(await createConsumer(backend, fields));
  };
  const put = async (request: AdminRequest) => {
    const key = request.param('consumer');
    const object = findConsumer(backend, key);
    if (object === undefined && isUuid(key)) throw chosenId(key, 'make a consumer by its username');
    const stated = argumentsOf(request, consumerArguments);
    const fields = checkConsumer(backend, isUuid(key) ? stated : { ...stated, username: key }, object);
    const isNew = object === undefined;
    return ok(isNew ? await createConsumer(backend, fields) : await changeConsumer(backend, object, fields));
  };
  const patch = async (request: AdminRequest) => {
    const key = request.param('consumer');
    const object = findConsumer(backend, key);
    if (object === undefined) throw entityNotFound(isUuid(key) ? { id: key } : { username: key });
    const { username, custom_id, tags } = consumerEntity(object);
    const merged = { username, custom_id, tags, ...argumentsOf(request, consumerArguments) };
    return ok(await changeConsumer(backend, object, checkConsumer(backend, merged, object)));
  };
  const remove = async (request: AdminRequest) => {
    const object = findConsumer(backend, request.param('consumer'));
    if (object !== undefined) await removeConsumer(backend, object);
    return noContent; // flat deletes of nothing succeed (kong-facts 3.3)
  };
  const get = (request: AdminRequest) => ok(consumerEntity(consumerOrFail(backend, request.param('consumer'))));
  return [
    { path: '/consumers', methods: { GET: list, POST: create } },
    { path: '/consumers/:consumer', methods: { GET: get, PUT: put, PATCH: patch, DELETE: remove } },
  ];
}
