/**
 * A body that tells when whoever sends it takes too long over one of its parts. The time in which the client
 * sends the next one does not count.
 */
export async function* timedBody(
  body: AsyncIterable<Buffer>,
  timeoutMs: number,
  onLate: () => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    const timer = setTimeout(onLate, timeoutMs);
    try {
      yield chunk;
    } finally {
      clearTimeout(timer);
    }
  }
}
