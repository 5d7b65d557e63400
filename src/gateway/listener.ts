import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { Server as NetServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { LiveLimits } from '#table/limits-entry.ts';
import type { RequestMessage, ResponseMessage } from './client-message.ts';
import { Http1Request } from './http1-request.ts';
import { Http1Response, onceAnswered } from './http1-response.ts';
import { createServer, type ServerResponseClass } from './node-http.ts';
import { serveNoMore } from './answer.ts';
import { clientFaults } from './client-fault.ts';
import { forward, type ForwardServices } from './forward.ts';
import { createHttp2Sessions, type Http2Serve, type Http2Sessions } from './http2-sessions.ts';
import type { ListenAddress } from './messages.ts';
import type { Occupancy } from './occupancy.ts';
import { createOpenTunnels, type OpenTunnels } from './open-tunnels.ts';
import { hasBody } from './request-body.ts';
import { chooseByAlpn, chooseByPreface } from './protocol-choice.ts';
import type { ProxySettings } from './proxy-settings.ts';
import { refusedMethod, tooLargeHead, tooManyTunnels, unmetExpectation, upgradeWithBody } from './request-guard.ts';
import { lastWordMs } from './linger.ts';
import { refuseRequest, serveRequest, type ClientRequest, type ServeServices } from './serve-request.ts';
import type { ClientTls } from './tls.ts';
import { isWebSocketUpgrade, responseOn, upgrade } from './upgrade.ts';

export interface ListenerServices extends ServeServices, ForwardServices {
  /** How clients are met over TLS; absent for plain HTTP. */
  readonly tls?: ClientTls;
  readonly settings: ProxySettings;
  /** What clients hold of the worker, this listener's and the others'. */
  readonly occupancy: Occupancy;
}

export interface Listener {
  /** Resolves to the port that connections are accepted on. Rejects with Node's error, such as EADDRINUSE. */
  listen(address: ListenAddress): Promise<number>;
  /**
   * The table changed: clients that name no host may get another certificate, limits may be others, and WebSockets may
   * be open that would not be let in now.
   */
  tableChanged(): void;
  /** From now on each answer is the last of its connection: clients go elsewhere before the listener closes. */
  leave(): void;
  /** Stops accepting, waits for what is under way, and cuts what is left after `graceMs`. */
  drain(graceMs: number): Promise<void>;
  /** Stops accepting and closes every connection, in the middle of anything. */
  cut(): void;
}

/** The limits as Node's servers take them, when they are made and while they run. */
const serverLimits = ({ headersTimeoutMs, requestTimeoutMs, keepAliveTimeoutMs, headBytes }: LiveLimits) => ({
  // No part takes longer than the whole; Node throws where it might.
  headersTimeout: requestTimeoutMs === 0 ? headersTimeoutMs : Math.min(headersTimeoutMs, requestTimeoutMs),
  requestTimeout: requestTimeoutMs,
  keepAliveTimeout: keepAliveTimeoutMs,
  maxHeaderSize: headBytes,
});

/** What of Node's servers no limit changes. */
const serverOptions = {
  connectionsCheckingInterval: 1_000,
  noDelay: true,
  // Most requests have no body: Node need not make a stream of it.
  optimizeEmptyRequests: true,
  shouldUpgradeCallback: isWebSocketUpgrade,
  IncomingMessage: Http1Request,
  // It has what Node's server asks of one, and none of the rest.
  ServerResponse: Http1Response as unknown as typeof ServerResponseClass,
  // The guard asks for it, and answers in our words.
  requireHostHeader: false,
};

/** Node's server for one way of coming in, and how it is given another certificate. */
function makeServer({ tls, limits }: ListenerServices, serve: RequestListener, toHttp2: (socket: Socket) => void) {
  const options = { ...serverOptions, ...serverLimits(limits.now) };
  if (tls === undefined) {
    const server = createServer(options, serve);
    const undecided = chooseByPreface(server, () => limits.now.headersTimeoutMs, toHttp2);
    return { server, undecided, tableChanged: () => undefined };
  }
  const server = createTlsServer(
    { ...options, ...tls.serverOptions, handshakeTimeout: limits.now.headersTimeoutMs },
    serve,
  );
  return {
    server,
    undecided: chooseByAlpn(server, toHttp2),
    tableChanged(): void {
      const changed = tls.takeDefault();
      if (changed !== undefined) server.setSecureContext(changed);
    },
  };
}

/**
 * All workers have closed their listeners after so long. A client that is told before to go elsewhere connects again at
 * once, perhaps to one of them that is about to close; the kernel resets what nobody has accepted.
 */
const closingMs = 100;

/** Sessions of HTTP/2 that are loaded with the first client. */
function lateHttp2(load: () => Promise<Http2Sessions>) {
  let loading: Promise<Http2Sessions> | undefined;
  let loaded: Http2Sessions | undefined;
  let isClosing = false;
  const loadNow = async (): Promise<Http2Sessions> => {
    const sessions = await load();
    if (isClosing) sessions.close();
    loaded = sessions;
    return sessions;
  };
  return {
    accept(socket: Socket): void {
      loading ??= loadNow();
      void loading.then(({ accept }) => {
        if (!socket.destroyed) accept(socket);
      });
    },
    close(): void {
      isClosing = true;
      loaded?.close();
    },
    destroy: (): void => loaded?.destroy(),
  };
}

/** Resolves to the port. Rejects with Node's error. */
async function listenOn(server: Server, { host, port }: ListenAddress): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, reusePort: true, backlog: 4096 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** What happens to upgrades; those that are let through are in `tunnels` until they close. */
const upgradesOf =
  (services: ListenerServices, tunnels: OpenTunnels) =>
  (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    const response = responseOn(request, socket);
    const proofs = services.settings.rechecksTunnels ? [] : undefined;
    const client = { ...arrived(request, response), proofs };
    if (hasBody(request)) return refuseRequest(client, upgradeWithBody, services);
    if (services.occupancy.isFull('tunnels')) return refuseRequest(client, tooManyTunnels, services);
    tunnels.reserve(socket);
    serveRequest(
      client,
      (exchange, service, requestId) =>
        upgrade(exchange, { service, client: { socket, head, response }, tunnels }, requestId, services),
      services,
    );
  };

/** A request that has just come, and nothing is waited for. */
const arrived = (request: RequestMessage, response: ResponseMessage): ClientRequest => ({
  request,
  response,
  expectsContinue: false,
  receivedAtMs: performance.now(),
});

/**
 * Whether Node's parser throws away what comes behind a request, the rest of the bytes that it was given: it stops where
 * an upgrade is asked for, made or not. What it reads next may begin in the middle of anything.
 */
const losesNext = ({ headers }: RequestMessage): boolean =>
  headers.upgrade !== undefined && /upgrade/i.test(headers.connection ?? '');

/** Takes the connections that Node hands over, once the answers that are under way on them have left. */
function takeHandedOver(server: Server, tunnels: OpenTunnels, services: ListenerServices): void {
  const switchOver = upgradesOf(services, tunnels);
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
    onceAnswered(socket, () => switchOver(request, socket, head)),
  );
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    socket.resume(); // so that it closes if its client does
    onceAnswered(socket, () => refuseRequest(arrived(request, responseOn(request, socket)), refusedMethod, services));
  });
}

/** A listener for clients on Node's own parsers, which are those that the world fuzzes. */
export function createListener(services: ListenerServices): Listener {
  const tunnels = createOpenTunnels(services.occupancy);
  const connections = new Set<Socket>();
  const hold = services.occupancy.holder('connections', connections);
  const pass: Parameters<typeof serveRequest>[1] = (exchange, service, requestId) =>
    forward(exchange, service, requestId, services);

  let isLeaving = false;
  const take = (client: ClientRequest): void => {
    const { request, response } = client;
    const isLast = losesNext(request);
    if (isLeaving || isLast) response.shouldKeepAlive = false;
    serveRequest(client, pass, services);
    if (isLast) serveNoMore(request.socket);
  };
  const serve = (request: RequestMessage, response: ResponseMessage): void => take(arrived(request, response));
  const serveExpecting = (request: RequestMessage, response: ResponseMessage): void => {
    const client = arrived(request, response);
    if (request.headers.expect?.toLowerCase() === '100-continue') take({ ...client, expectsContinue: true });
    else refuseRequest(client, unmetExpectation, services);
  };
  const serveHttp2: Http2Serve = (request, response) => {
    if (request.headBytes > services.limits.now.headBytes) {
      return refuseRequest(arrived(request, response), tooLargeHead, services);
    }
    return request.headers.expect === undefined ? serve(request, response) : serveExpecting(request, response);
  };

  const { onClientError, onTlsError, http2Refusals } = clientFaults(services);
  const http2 = lateHttp2(async () => createHttp2Sessions(services.limits, serveHttp2, http2Refusals));
  const { server, undecided, tableChanged } = makeServer(services, serve, http2.accept);
  // 0 is no limit: the size of the head is bounded, and a list that is cut in silence hides headers.
  server.maxHeadersCount = 0;

  server.on('checkContinue', serveExpecting);
  server.on('checkExpectation', serveExpecting);

  server.on('clientError', onClientError);
  server.on('tlsClientError', onTlsError);

  takeHandedOver(server, tunnels, services);

  // Over TLS a connection is none of the HTTP server's until its handshake is done.
  server.on('connection', (socket: Socket) => {
    services.traffic.accepted();
    hold(socket);
  });

  // One more is closed as it comes, as nginx closes what is beyond its worker_connections. Node asks for each
  // connection how many there may be, and counts those of one server alone.
  Object.defineProperty(server, 'maxConnections', {
    get: () => (services.occupancy.isFull('connections') ? 0 : undefined),
  });
  server.on('drop', () => services.refused?.('connections'));

  return {
    tableChanged(): void {
      tableChanged();
      tunnels.tableChanged();
      Object.assign(server, serverLimits(services.limits.now));
    },

    listen: async (address) => listenOn(server, address),

    leave(): void {
      isLeaving = true;
      http2.close();
    },

    async drain(graceMs) {
      // Servers of HTTP would cut every connection that has no request just now, and with it one that is on its way.
      const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
      const telling = setTimeout(() => this.leave(), closingMs);
      const sweeping = setInterval(() => server.closeIdleConnections(), lastWordMs);
      const cut = setTimeout(() => this.cut(), graceMs);
      undecided.close();
      // A tunnel has no end of its own to wait for: its client connects again, to whoever serves then.
      tunnels.leave();
      await closed;
      await tunnels.gone();
      clearTimeout(cut);
      clearTimeout(telling);
      clearInterval(sweeping);
    },

    cut(): void {
      NetServer.prototype.close.call(server);
      server.closeAllConnections();
      http2.destroy();
      for (const socket of connections) socket.destroy();
      tunnels.cut();
    },
  };
}
