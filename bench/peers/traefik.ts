import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../program.ts';
import type { Assignment, Peer } from './peer.ts';

const settings = ({ port, httpsPort, folder }: Assignment): object => ({
  entryPoints: {
    web: { address: `127.0.0.1:${port}` },
    websecure: { address: `127.0.0.1:${httpsPort}`, http: { tls: {} } },
  },
  providers: { file: { filename: join(folder, 'routes.yaml') } },
  log: { level: 'ERROR' },
  global: { checkNewVersion: false, sendAnonymousUsage: false },
});

/** Whoever has no key meets Basic authentication with a password that nobody has: Traefik's way to a 401. */
const routes = ({ certificate, upstreamPort, loaded: [key, consumer] }: Assignment): object => ({
  tls: {
    stores: {
      default: { defaultCertificate: { certFile: certificate.certificate, keyFile: certificate.privateKey } },
    },
  },
  http: {
    routers: {
      known: { rule: `Header(\`apikey\`, \`${key}\`)`, service: 'bench', middlewares: ['consumer'], priority: 2 },
      others: { rule: 'PathPrefix(`/`)', service: 'bench', middlewares: ['nobody'], priority: 1 },
    },
    middlewares: {
      consumer: { headers: { customRequestHeaders: { 'X-Consumer-Username': consumer } } },
      nobody: { basicAuth: { users: ['nobody:{SHA}AAAAAAAAAAAAAAAAAAAAAAAAAAA='] } },
    },
    services: {
      bench: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${upstreamPort}` }], serversTransport: 'kept' } },
    },
    serversTransports: { kept: { maxIdleConnsPerHost: 256 } },
  },
});

/** Traefik with a thread for each worker. It tries its routers one after the other, so it gets the one key that the load has. */
export const traefik: Peer = {
  name: 'Traefik',
  program: 'traefik',
  async command(assignment) {
    // JSON is YAML.
    const file = join(assignment.folder, 'traefik.yaml');
    await writeFile(file, JSON.stringify(settings(assignment)));
    await writeFile(join(assignment.folder, 'routes.yaml'), JSON.stringify(routes(assignment)));
    return ['env', `GOMAXPROCS=${assignment.workers}`, findProgram('traefik') ?? 'traefik', `--configFile=${file}`];
  },
};
