/** What is seen in a part of the soak, and what was wrong in all of it. */

/** A part of the soak. */
export interface Part {
  readonly name: string;
  requests: number;
  /** Of each request whose upstream answers at once. */
  readonly timesMs: number[];
  /** 502 to a POST whose upstream had it when it died: to send it once more would not be safe (RFC 9110 9.2.2). */
  diedUnder: number;
  /** The same, but its upstream had not read it yet: bytes on their way to it tell the gateway nothing. */
  diedOnTheWay: number;
  /** Requests and WebSockets that a worker took with it which was killed. */
  killed: number;
}

export const newPart = (name: string): Part => ({
  name,
  requests: 0,
  timesMs: [],
  diedUnder: 0,
  diedOnTheWay: 0,
  killed: 0,
});

/** A connection that was cut just before is noticed by who uses it only when it is used. */
const noticeMs = 50;
/** On a busy machine a worker dies only so long after the signal, and its connections with it. */
const dyingMs = 2_000;

export interface Watch {
  /** What is counted now. */
  part: Part;
  readonly faults: string[];
  /** When workers were told to die. */
  readonly killsMs: number[];
}

export const newWatch = (): Watch => ({ part: newPart('warm-up'), faults: [], killsMs: [] });

export function noteFault({ part, faults }: Watch, fault: string): void {
  faults.push(`${part.name}: ${fault}`);
}

/** A connection was lost that was in use since then: it may be only if a worker was killed. */
export function noteLoss(watch: Watch, sinceMs: number, fault: string): void {
  if (watch.killsMs.some((ms) => ms >= sinceMs - dyingMs)) watch.part.killed += 1;
  else noteFault(watch, fault);
}

/** When an upstream must have died for a request that was sent then to be lost with it. */
export const deathWindow = (sentMs: number): readonly [number, number] => [sentMs - noticeMs, performance.now()];
