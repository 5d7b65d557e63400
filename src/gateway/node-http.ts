/**
 * Node's module `http`, and not by an import: an ES module's import reads every name that it exports, and one of them
 * loads all of undici, into every thread (4 MB and 10 ms each).
 */
export const {
  createServer,
  IncomingMessage: IncomingMessageClass,
  request,
  ServerResponse: ServerResponseClass,
  STATUS_CODES,
} = process.getBuiltinModule('node:http');
