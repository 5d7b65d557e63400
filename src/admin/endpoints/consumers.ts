import Type from 'typebox';
import { classAnnotation } from '#resources/annotations.ts';
import { apiVersionOf, refOf, type KubernetesObject } from '#resources/kind.ts';
import { kongConsumer, type KongConsumer } from '#resources/kong-consumer.ts';
import type { Ref } from '#resources/ref.ts';
import { consumersByCustomId, consumersByUsername } from '#store/indexes.ts';
import type { Backend } from '#admin/backend.ts';
import { consumerEntity, updatedAnnotation } from '#admin/entity.ts';
import { badRequest, entityNotFound, schemaViolation, uniqueViolation } from '#admin/errors.ts';
import { assertFits } from '#admin/field-errors.ts';
import { pageBody, selectPage } from '#admin/listing.ts';
import { consumerOrFail, findConsumer, isUuid, namespaceOf } from '#admin/look-up.ts';
import { objectName } from '#admin/object-name.ts';
import {
  argumentsOf,
  created,
  noContent,
  ok,
  withoutNulls,
  type AdminRequest,
  type Endpoint,
} from '#admin/request-context.ts';
import { deleteSecretEdits } from './credential-edits.ts';

const tags = Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 20 });

const consumerArguments = Type.Object(
  {
    username: Type.Optional(Type.String({ minLength: 1 })),
    custom_id: Type.Optional(Type.String({ minLength: 1 })),
    tags: Type.Optional(tags),
  },
  { additionalProperties: false },
);

interface ConsumerFields {
  readonly username?: string;
  readonly custom_id?: string;
  readonly tags?: string[];
}

/** @throws AdminError 400 for what is no consumer, 409 for a name that another one has */
function checkConsumer(
  backend: Backend,
  fields: Record<string, unknown>,
  self: KongConsumer | undefined,
): ConsumerFields {
  assertFits(consumerArguments, fields);
  const checked = fields as ConsumerFields;
  if (checked.username === undefined && checked.custom_id === undefined) {
    throw schemaViolation({
      '@entity': ["at least one of these fields must be non-empty: 'custom_id', 'username'"],
    });
  }
  const isOther = (found: KongConsumer): boolean => found.metadata.uid !== self?.metadata.uid;
  const { username, custom_id: customId } = checked;
  if (username !== undefined && backend.store.lookup(consumersByUsername, username).some(isOther)) {
    throw uniqueViolation({ username });
  }
  if (customId !== undefined && backend.store.lookup(consumersByCustomId, customId).some(isOther)) {
    throw uniqueViolation({ custom_id: customId });
  }
  return checked;
}

function newConsumer(
  backend: Backend,
  { username, custom_id: customId, tags: stated }: ConsumerFields,
): KubernetesObject {
  const isTaken = (name: string): boolean => backend.store.get(kongConsumer, 'default', name) !== undefined;
  return {
    apiVersion: apiVersionOf(kongConsumer),
    kind: kongConsumer.kind,
    metadata: {
      name: objectName(username ?? customId ?? '', isTaken),
      namespace: 'default',
      creationTimestamp: backend.now().toISOString(),
      annotations: { [classAnnotation]: backend.ingressClass },
    },
    ...(username === undefined ? {} : { username }),
    ...(customId === undefined ? {} : { custom_id: customId }),
    ...(stated === undefined ? {} : { spec: { tags: stated } }),
  };
}

/** The object with other fields, all else as it is. */
function changedConsumer(current: KubernetesObject, fields: ConsumerFields, now: Date): KubernetesObject {
  const { username: _, custom_id: __, spec, ...rest } = current as KongConsumer & Record<string, unknown>;
  const annotations = { ...current.metadata.annotations, [updatedAnnotation]: now.toISOString() };
  const otherSpec = Object.fromEntries(Object.entries(spec ?? {}).filter(([name]) => name !== 'tags'));
  const wantedSpec = fields.tags === undefined ? otherSpec : { ...otherSpec, tags: fields.tags };
  return {
    ...(rest as KubernetesObject),
    metadata: { ...current.metadata, annotations },
    ...(fields.username === undefined ? {} : { username: fields.username }),
    ...(fields.custom_id === undefined ? {} : { custom_id: fields.custom_id }),
    ...(Object.keys(wantedSpec).length === 0 ? {} : { spec: wantedSpec }),
  };
}

const fieldsOf = (object: KongConsumer): Record<string, unknown> =>
  withoutNulls({
    username: object.username ?? null,
    custom_id: object.custom_id ?? null,
    tags: object.spec?.tags ?? null,
  });

async function createConsumer(backend: Backend, fields: ConsumerFields) {
  const object = newConsumer(backend, fields);
  const ref = refOf(kongConsumer, object);
  await backend.write([{ ref, apply: () => object }]);
  return consumerEntity(readBack(backend, ref));
}

async function changeConsumer(backend: Backend, object: KongConsumer, fields: ConsumerFields) {
  const ref = refOf(kongConsumer, object);
  await backend.write([{ ref, apply: (current) => changedConsumer(current ?? object, fields, backend.now()) }]);
  return consumerEntity(readBack(backend, ref));
}

/** What was written, as everybody else now sees it. */
function readBack(backend: Backend, ref: Ref): KongConsumer {
  const found = backend.store.get(kongConsumer, ref.namespace, ref.name);
  if (found === undefined) throw new Error(`the consumer ${ref.name} was written but is not there`);
  return found;
}

function missing(key: string): Error {
  return isUuid(key) ? entityNotFound({ id: key }, true) : entityNotFound({ username: key }, false);
}

/** `/consumers` (kong-facts 3.2, 3.7). */
export function consumerEndpoints(backend: Backend): Endpoint[] {
  const { store } = backend;
  const list = (request: AdminRequest) => {
    const customId = request.query['custom_id'];
    if (customId === '') throw badRequest('custom_id must be an unempty string');
    const all = customId === undefined ? store.list(kongConsumer) : store.lookup(consumersByCustomId, customId);
    const selection = selectPage(all.map(consumerEntity), request.query, '/consumers');
    return ok(pageBody(selection.page, selection));
  };
  const put = async (request: AdminRequest) => {
    const key = request.params['consumer'] ?? '';
    const object = findConsumer(store, key);
    if (object === undefined && isUuid(key)) {
      throw badRequest('ids are given by Kubernetes and cannot be chosen: create a consumer by its username');
    }
    const stated = withoutNulls(argumentsOf(request, consumerArguments));
    const fields = checkConsumer(backend, isUuid(key) ? stated : { ...stated, username: key }, object);
    return ok(
      object === undefined ? await createConsumer(backend, fields) : await changeConsumer(backend, object, fields),
    );
  };
  const patch = async (request: AdminRequest) => {
    const key = request.params['consumer'] ?? '';
    const object = findConsumer(store, key);
    if (object === undefined) throw missing(key);
    const merged = withoutNulls({ ...fieldsOf(object), ...argumentsOf(request, consumerArguments) });
    return ok(await changeConsumer(backend, object, checkConsumer(backend, merged, object)));
  };
  const remove = async (request: AdminRequest) => {
    const object = findConsumer(store, request.params['consumer'] ?? '');
    if (object === undefined) return noContent; // flat deletes of nothing succeed (kong-facts 3.3)
    const secrets = deleteSecretEdits(store, namespaceOf(object), object.credentials ?? [], object);
    await backend.write([{ ref: refOf(kongConsumer, object), apply: () => undefined }, ...secrets]);
    return noContent;
  };
  return [
    {
      path: '/consumers',
      methods: {
        GET: list,
        POST: async (request) => {
          const fields = checkConsumer(backend, withoutNulls(argumentsOf(request, consumerArguments)), undefined);
          return created(await createConsumer(backend, fields));
        },
      },
    },
    {
      path: '/consumers/:consumer',
      methods: {
        GET: (request) => ok(consumerEntity(consumerOrFail(store, request.params['consumer'] ?? ''))),
        PUT: put,
        PATCH: patch,
        DELETE: remove,
      },
    },
  ];
}
