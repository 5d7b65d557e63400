import { ingress, type Ingress } from '#resources/ingress.ts';
import { service } from '#resources/service.ts';
import type { Backend } from '#admin/backend.ts';
import { idOf, routeEntity } from '#admin/entity.ts';
import { unsupportedWrite } from '#admin/errors.ts';
import { flatList, listAnswer } from '#admin/listing.ts';
import { namespaceOf, ourRoutes, routeOrFail } from '#admin/look-up.ts';
import { ok, type Endpoint, type Handle } from '#admin/request-context.ts';

function show(backend: Backend, object: Ingress) {
  const backends = (object.spec?.rules ?? []).flatMap(({ http }) => (http?.paths ?? []).map((path) => path.backend));
  const name = backends[0]?.service?.name ?? object.spec?.defaultBackend?.service?.name;
  const found = name === undefined ? undefined : backend.store.get(service, namespaceOf(object), name);
  return routeEntity(object, found === undefined ? undefined : idOf(service, found));
}

const refuse =
  (verb: string, entities: string, instead: string): Handle =>
  () => {
    throw unsupportedWrite(verb, entities, instead);
  };

/** `POST /routes`, `PUT /routes/{route}` and their like: Ingresses and Services are applied as such. */
function refusedWrites(entities: string, instead: string) {
  return {
    create: { POST: refuse('create', entities, instead) },
    change: {
      PUT: refuse('create or update', entities, instead),
      PATCH: refuse('update', entities, instead),
      DELETE: refuse('remove', entities, instead),
    },
  };
}

/** `/routes`: the Ingresses. Writes are refused as Kong refuses them without a database (kong-facts 3.3). */
export function routeEndpoints(backend: Backend): Endpoint[] {
  const routes = refusedWrites('routes', 'apply an Ingress instead');
  const services = refusedWrites('services', 'apply a Service instead');
  const list: Handle = async (request) => {
    const all = ourRoutes(backend).map((object) => ({ id: idOf(ingress, object), item: object }));
    return listAnswer(all, flatList(request, '/routes'), (object) => show(backend, object));
  };
  const get: Handle = (request) => ok(show(backend, routeOrFail(backend, request.param('route'))));
  return [
    { path: '/routes', methods: { GET: list, ...routes.create } },
    { path: '/routes/:route', methods: { GET: get, ...routes.change } },
    { path: '/services', methods: services.create },
    { path: '/services/:service', methods: services.change },
    { path: '/services/:service/routes', methods: routes.create },
  ];
}
