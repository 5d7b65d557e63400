/** A body that can be had again from its start. */
export interface KeptBody {
  /** Reads it from its start; whoever read it before reads no more. */
  read(): AsyncGenerator<Buffer>;
  /** Whether all that has come of it is still there. */
  isKept(): boolean;
  /** Nobody will want it from its start again. */
  forget(): void;
}

/** So much is kept of a body that goes on as it comes: a message of gRPC as most are. */
const mostBytes = 64 * 1024;

/**
 * Keeps what comes of a body while that is little: an endpoint of HTTP/2 may say that it has not looked at a request of
 * which a part was sent (RFC 9113 section 8.7). The body is read once, as it comes; a part that is on its way when its
 * reader is replaced goes to the next.
 */
export function keptBody(source: AsyncGenerator<Buffer>): KeptBody {
  /** While it is kept, all that came; after that, what its reader has not had. */
  const parts: Buffer[] = [];
  let bytes = 0;
  let isKept = true;
  let isDone = false;
  let coming: Promise<void> | undefined;
  let reader = { at: 0 };

  const forget = (): void => {
    if (isKept) parts.splice(0, reader.at);
    isKept = false;
  };

  const receive = async (): Promise<void> => {
    const result = await source.next();
    coming = undefined; // one that failed stays: asked again, the source would say that the body has ended here
    if (result.done === true) return void (isDone = true);
    parts.push(result.value);
    bytes += result.value.byteLength;
    if (bytes > mostBytes) forget();
  };

  async function* read(): AsyncGenerator<Buffer> {
    if (!isKept) throw new Error('the start of the body is gone');
    const own = { at: 0 };
    reader = own;
    try {
      while (reader === own) {
        const part = isKept ? parts[own.at] : parts.shift();
        if (part !== undefined) {
          own.at += 1;
          yield part;
        } else if (isDone) return;
        else await (coming ??= receive());
      }
    } finally {
      // Whoever sends it let go of it before its end: what still comes is for others to read.
      if (reader === own && !isDone) {
        isKept = false;
        await source.return(undefined);
      }
    }
  }

  return { read, isKept: () => isKept, forget };
}
