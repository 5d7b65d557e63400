import type { ResponseListener, UpstreamFault } from './upstream.ts';

/**
 * A listener that hears of a response once it is whole, or once more of it came than may be held: from then on
 * as it comes. What fails before is a fault without a response, so that the client gets a whole answer.
 */
export function bufferedResponse(listener: ResponseListener, limitBytes: number): ResponseListener {
  let head: Parameters<ResponseListener['onHead']> | undefined;
  let held: Buffer[] = [];
  let bytes = 0;

  const release = (): boolean => {
    if (head === undefined) return true;
    listener.onHead(...head);
    head = undefined;
    const chunks = held;
    held = [];
    return chunks.map((chunk) => listener.onData(chunk)).every(Boolean);
  };

  return {
    onInterim: (status, headers) => listener.onInterim(status, headers),
    onHead: (...args) => void (head = args),
    // What is held goes out at once.
    onHeadAlone: () => undefined,
    onData(chunk) {
      if (head === undefined) return listener.onData(chunk);
      held.push(Buffer.from(chunk));
      bytes += chunk.byteLength;
      return bytes <= limitBytes || release();
    },
    onEnd(trailers) {
      release();
      listener.onEnd(trailers);
    },
    onFault: (fault: UpstreamFault, error) => listener.onFault(fault, error),
  };
}
