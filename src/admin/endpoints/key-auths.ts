import { randomBytes } from 'node:crypto';
import Type from 'typebox';
import { apiVersionOf, refOf, type KubernetesObject } from '#resources/kind.ts';
import { kongConsumer, type KongConsumer } from '#resources/kong-consumer.ts';
import { credentialLabel, secret } from '#resources/secret.ts';
import type { Edit } from '#source/source.ts';
import type { Backend } from '#admin/backend.ts';
import {
  allCredentials,
  credentialsOf,
  findCredential,
  keyAuth,
  showCredential,
  type OwnedCredential,
} from '#admin/credential-store.ts';
import { consumerEntity, idOf, updatedAnnotation } from '#admin/entity.ts';
import {
  badRequest,
  entityNotFound,
  invalidOption,
  notFound,
  schemaViolation,
  uniqueViolation,
} from '#admin/errors.ts';
import { assertFits } from '#admin/field-errors.ts';
import { generateKey } from '#admin/generate-key.ts';
import { pageBody, selectPage } from '#admin/listing.ts';
import { consumerOrFail, findConsumer, isUuid, namespaceOf } from '#admin/look-up.ts';
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

const longestTtlSeconds = 100_000_000;

const keyArguments = Type.Object(
  {
    key: Type.Optional(Type.String({ minLength: 1 })),
    ttl: Type.Optional(Type.Integer()),
    consumer: Type.Optional(Type.Object({ id: Type.String() }, { additionalProperties: false })),
  },
  { additionalProperties: false },
);

interface KeyFields {
  readonly key?: string;
  readonly ttl?: number;
  readonly consumer?: { readonly id: string };
}

/** @throws AdminError 400 for what is no credential, 409 for a key that another one has */
function checkKey(backend: Backend, args: Record<string, unknown>, self: OwnedCredential | undefined): KeyFields {
  const fields = withoutNulls(args);
  assertFits(keyArguments, fields);
  const checked = fields as KeyFields;
  const { key, ttl } = checked;
  if (ttl !== undefined && (ttl < 0 || ttl > longestTtlSeconds)) {
    throw invalidOption('ttl', `must be an integer between 0 and ${longestTtlSeconds}`);
  }
  if (key !== undefined) {
    const digest = backend.digest(keyAuth, key);
    const other = backend.store
      .list(secret)
      .find((object) => object.sealed?.['key']?.digest === digest && object.metadata.uid !== self?.secret.metadata.uid);
    if (other !== undefined) throw uniqueViolation({ key });
  }
  return checked;
}

function newSecret(backend: Backend, consumer: KongConsumer, { key, ttl }: KeyFields): KubernetesObject {
  const stringData = { key: key ?? generateKey(), ...(ttl === undefined || ttl === 0 ? {} : { ttl: String(ttl) }) };
  return {
    apiVersion: apiVersionOf(secret),
    kind: secret.kind,
    metadata: {
      name: `${consumer.metadata.name}-key-auth-${randomBytes(4).toString('hex')}`,
      namespace: namespaceOf(consumer),
      creationTimestamp: backend.now().toISOString(),
      labels: { [credentialLabel]: keyAuth },
    },
    stringData,
  };
}

function editCredentials(consumer: KongConsumer, change: (names: readonly string[]) => string[]): Edit {
  return {
    ref: refOf(kongConsumer, consumer),
    apply: (current) => {
      const object = (current ?? consumer) as KongConsumer;
      return { ...object, credentials: change(object.credentials ?? []) };
    },
  };
}

async function createKey(backend: Backend, consumer: KongConsumer, fields: KeyFields) {
  const object = newSecret(backend, consumer, fields);
  const { name } = object.metadata;
  await backend.write([
    { ref: refOf(secret, object), apply: () => object },
    editCredentials(consumer, (names) => [...names, name]),
  ]);
  const stored = backend.store.get(secret, namespaceOf(consumer), name);
  if (stored === undefined) throw new Error(`the Secret ${name} was written but is not there`);
  return showCredential(backend, { secret: stored, consumer });
}

/** `ttl` counts from now in a PATCH; the Secret states it from its creation (kong-facts 1.8). */
function ttlFromCreation(object: KubernetesObject, ttl: number, now: Date): string {
  const createdMs = Date.parse(object.metadata.creationTimestamp ?? '');
  const age = Number.isNaN(createdMs) ? 0 : Math.ceil((now.getTime() - createdMs) / 1000);
  return String(age + ttl);
}

function changedSecret(
  current: KubernetesObject,
  fields: KeyFields & { readonly keepsTtl: boolean },
  now: Date,
): KubernetesObject {
  const data = { ...(current['data'] as Record<string, string> | undefined) };
  const stringData = { ...(current['stringData'] as Record<string, string> | undefined) };
  if (fields.key !== undefined) {
    delete data['key'];
    stringData['key'] = fields.key;
  }
  if (fields.ttl !== undefined || !fields.keepsTtl) {
    delete data['ttl'];
    delete stringData['ttl'];
  }
  if (fields.ttl !== undefined && fields.ttl > 0) stringData['ttl'] = ttlFromCreation(current, fields.ttl, now);
  const annotations = { ...current.metadata.annotations, [updatedAnnotation]: now.toISOString() };
  const metadata = {
    ...current.metadata,
    annotations,
    // A ttl needs a time to count from.
    creationTimestamp: current.metadata.creationTimestamp ?? now.toISOString(),
  };
  const { data: _, stringData: __, ...rest } = current;
  return {
    ...(rest as KubernetesObject),
    metadata,
    ...(Object.keys(data).length === 0 ? {} : { data }),
    ...(Object.keys(stringData).length === 0 ? {} : { stringData }),
  };
}

async function changeKey(backend: Backend, owned: OwnedCredential, fields: KeyFields & { readonly keepsTtl: boolean }) {
  const ref = refOf(secret, owned.secret);
  await backend.write([{ ref, apply: (current) => changedSecret(current ?? owned.secret, fields, backend.now()) }]);
  const stored = backend.store.get(secret, ref.namespace, ref.name) ?? owned.secret;
  return showCredential(backend, { ...owned, secret: stored });
}

async function removeKey(backend: Backend, { secret: object, consumer }: OwnedCredential): Promise<void> {
  const { name } = object.metadata;
  await backend.write([
    editCredentials(consumer, (names) => names.filter((other) => other !== name)),
    ...deleteSecretEdits(backend.store, namespaceOf(object), [name], consumer),
  ]);
}

async function listKeys(backend: Backend, all: readonly OwnedCredential[], request: AdminRequest) {
  const identified = all.map((owned) => ({ id: idOf(secret, owned.secret), owned }));
  const selection = selectPage(identified, request.query, request.path);
  const data = await Promise.all(selection.page.map(async ({ owned }) => showCredential(backend, owned)));
  return ok(pageBody(data, selection));
}

/** `/consumers/{consumer}/key-auth` (kong-facts 3.2, 3.7). */
export function consumerKeyEndpoints(backend: Backend): Endpoint[] {
  const ofPath = (request: AdminRequest) => consumerOrFail(backend.store, request.params['consumer'] ?? '');
  const one = (request: AdminRequest): OwnedCredential => {
    const found = findCredential(backend, credentialsOf(backend, ofPath(request)), request.params['key'] ?? '');
    if (found === undefined) throw notFound();
    return found;
  };
  const put = async (request: AdminRequest) => {
    const consumer = ofPath(request);
    const key = request.params['key'] ?? '';
    const found = findCredential(backend, credentialsOf(backend, consumer), key);
    const args = argumentsOf(request, keyArguments);
    const fields = checkKey(backend, isUuid(key) ? args : { ...args, key }, found);
    if (found !== undefined) return ok(await changeKey(backend, found, { ...fields, keepsTtl: false }));
    if (isUuid(key))
      throw badRequest('ids are given by Kubernetes and cannot be chosen: create a credential by its key');
    return ok(await createKey(backend, consumer, fields));
  };
  return [
    {
      path: '/consumers/:consumer/key-auth',
      methods: {
        GET: async (request) => listKeys(backend, credentialsOf(backend, ofPath(request)), request),
        POST: async (request) => {
          const consumer = ofPath(request);
          const fields = checkKey(backend, argumentsOf(request, keyArguments), undefined);
          return created(await createKey(backend, consumer, fields));
        },
      },
    },
    {
      path: '/consumers/:consumer/key-auth/:key',
      methods: {
        GET: async (request) => ok(await showCredential(backend, one(request))),
        PUT: put,
        PATCH: async (request) => {
          const owned = one(request);
          const fields = checkKey(backend, argumentsOf(request, keyArguments), owned);
          return ok(await changeKey(backend, owned, { ...fields, keepsTtl: true }));
        },
        DELETE: async (request) => {
          await removeKey(backend, one(request));
          return noContent;
        },
      },
    },
  ];
}

/** `/key-auths`, the same credentials whoever has them. */
export function keyAuthEndpoints(backend: Backend): Endpoint[] {
  const find = (request: AdminRequest) => findCredential(backend, allCredentials(backend), request.params['key'] ?? '');
  const one = (request: AdminRequest): OwnedCredential => {
    const found = find(request);
    if (found === undefined) throw notFound();
    return found;
  };
  const create = async (request: AdminRequest) => {
    const fields = checkKey(backend, argumentsOf(request, keyArguments), undefined);
    if (fields.consumer === undefined) throw schemaViolation({ consumer: 'required field missing' });
    const consumer = findConsumer(backend.store, fields.consumer.id);
    if (consumer === undefined) throw badRequest(`there is no consumer with the id ${fields.consumer.id}`);
    return created(await createKey(backend, consumer, fields));
  };
  const patch = async (request: AdminRequest) => {
    const owned = find(request);
    const key = request.params['key'] ?? '';
    // The value may be a key, so it is not repeated.
    if (owned === undefined) throw isUuid(key) ? entityNotFound({ id: key }, true) : notFound();
    const fields = checkKey(backend, argumentsOf(request, keyArguments), owned);
    return ok(await changeKey(backend, owned, { ...fields, keepsTtl: true }));
  };
  return [
    {
      path: '/key-auths',
      methods: { GET: async (request) => listKeys(backend, allCredentials(backend), request), POST: create },
    },
    {
      path: '/key-auths/:key',
      methods: {
        GET: async (request) => ok(await showCredential(backend, one(request))),
        PATCH: patch,
        DELETE: async (request) => {
          const owned = find(request);
          if (owned !== undefined) await removeKey(backend, owned);
          return noContent;
        },
      },
    },
    { path: '/key-auths/:key/consumer', methods: { GET: (request) => ok(consumerEntity(one(request).consumer)) } },
  ];
}
