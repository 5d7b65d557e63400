import { ingress, type Ingress } from '#resources/ingress.ts';
import { service } from '#resources/service.ts';
import type { Backend } from '#admin/backend.ts';
import { idOf, routeEntity } from '#admin/entity.ts';
import { unsupportedWrite } from '#admin/errors.ts';
import { pageBody, selectPage } from '#admin/listing.ts';
import { namespaceOf, routeOrFail } from '#admin/look-up.ts';
import { ok, type Endpoint, type Handle } from '#admin/request-context.ts';

function show(backend: Backend, object: Ingress) {
  const backends = (object.spec?.rules ?? []).flatMap(({ http }) => (http?.paths ?? []).map((path) => path.backend));
  const name = backends[0]?.service?.name ?? object.spec?.defaultBackend?.service?.name;
  const found = name === undefined ? undefined : backend.store.get(service, namespaceOf(object), name);
  return routeEntity(object, found === undefined ? undefined : idOf(service, found));
}

/** `/routes`: the Ingresses. They are written as Ingresses. */
export function routeEndpoints(backend: Backend): Endpoint[] {
  const refuse =
    (verb: string): Handle =>
    () => {
      throw unsupportedWrite(verb, 'routes', 'apply an Ingress instead');
    };
  return [
    {
      path: '/routes',
      methods: {
        GET: (request) => {
          const all = backend.store.list(ingress).map((object) => show(backend, object));
          const selection = selectPage(all, request.query, '/routes');
          return ok(pageBody(selection.page, selection));
        },
        POST: refuse('create'),
      },
    },
    {
      path: '/routes/:route',
      methods: {
        GET: (request) => ok(show(backend, routeOrFail(backend.store, request.params['route'] ?? ''))),
        PUT: refuse('create or update'),
        PATCH: refuse('update'),
        DELETE: refuse('remove'),
      },
    },
  ];
}
