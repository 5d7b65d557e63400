export interface RateLimitOptions {
  /** Turns a second, in the long run. */
  readonly qps: number;
  /** Turns that may be taken at once after a rest. */
  readonly burst: number;
}

/** `patient` turns come only when nobody urgent waits: an Event may wait for a status. */
export type Urgency = 'urgent' | 'patient';

/** A token bucket: nobody waits while there are tokens, and then everybody in the order they came. */
export function createRateLimit({ qps, burst }: RateLimitOptions) {
  const waiting: Record<Urgency, (() => void)[]> = { urgent: [], patient: [] };
  let tokens = burst;
  let filledAtMs = performance.now();
  let pausedUntilMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const refill = (): void => {
    const nowMs = performance.now();
    tokens = Math.min(burst, tokens + ((nowMs - filledAtMs) / 1000) * qps);
    filledAtMs = nowMs;
  };

  const serve = (): void => {
    clearTimeout(timer);
    timer = undefined;
    refill();
    const pauseMs = pausedUntilMs - performance.now();
    while (pauseMs <= 0 && tokens >= 1) {
      const next = waiting.urgent.shift() ?? waiting.patient.shift();
      if (next === undefined) return;
      tokens -= 1;
      next();
    }
    if (waiting.urgent.length + waiting.patient.length === 0) return;
    timer = setTimeout(serve, Math.max(pauseMs, ((1 - tokens) / qps) * 1000, 1));
  };

  return {
    /** Resolves when it is the caller's turn. */
    async take(urgency: Urgency): Promise<void> {
      if (isStopped) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting[urgency].push(resolve);
      serve();
      await promise;
    },
    /** Nobody gets a turn for so long: the API server asked for that (429, `Retry-After`). */
    pause(ms: number): void {
      pausedUntilMs = Math.max(pausedUntilMs, performance.now() + ms);
    },
    /** Lets everybody who waits go, at once: what they do next finds that everything is stopped. */
    stop(): void {
      isStopped = true;
      clearTimeout(timer);
      for (const resolve of [...waiting.urgent, ...waiting.patient]) resolve();
      waiting.urgent.length = 0;
      waiting.patient.length = 0;
    },
  };
}
