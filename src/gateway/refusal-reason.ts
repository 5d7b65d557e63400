/** Why a request, or a connection, was refused before it had a meaning: a fixed list, so that it can label a metric. */
export type RefusalReason =
  /** Node's parser cannot make a request of the bytes. */
  | 'malformed'
  /** Its body's end could be read in two ways (RFC 9112 section 6.1). */
  | 'framing'
  | 'method'
  | 'expectation'
  /** No Host, several, or one that is none. */
  | 'host'
  /** The target is no path, or names another host than Host. */
  | 'target'
  /** The path has a spelling that servers disagree on. */
  | 'path'
  /** A request without TLS on the port of TLS. */
  | 'plain-on-tls'
  | 'head-size'
  | 'header-count'
  | 'uri-size'
  | 'body-size'
  /** A worker has all the connections, or WebSockets, that it may have. */
  | 'connections'
  | 'tunnels'
  | 'request-timeout'
  /** A client of HTTP/2 does not take its answer. */
  | 'answer-timeout'
  /** A connection of HTTP/2 whose frames break the protocol, or are a flood. */
  | 'http2-frames'
  /** … whose streams come to nothing. */
  | 'http2-waste'
  /** … whose client does not acknowledge SETTINGS. */
  | 'http2-settings';
