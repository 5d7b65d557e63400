/**
 * How many connections may be laid to rest (resting-clients.ts). To rest and to wake costs as much as a small request: it
 * is worth it for one that stays at rest, and a waste for one that asks again at once, of which nobody can tell before.
 *
 *   a round gives some credit ─▶ a rest takes one ─▶ and gives it back once it has lasted
 *
 * So many that come at once rest at once, and clients that ask and ask cost what the rounds give.
 */
export interface RestCreditOptions {
  /** The most that there is, and what there is at first. */
  readonly most: number;
  readonly eachRound: number;
  /** Rounds after which a rest was worth it. */
  readonly lastingRounds: number;
}

export interface RestCredit {
  /** To be called before each round. */
  nextRound(): void;
  /** Takes credit for one. Gives the round, or undefined where there is none left. */
  take(): number | undefined;
  /** One that was laid to rest in that round asks again. */
  woke(round: number): void;
}

/** See the head of this file. */
export function createRestCredit({ most, eachRound, lastingRounds }: RestCreditOptions): RestCredit {
  /** Of each of the last rounds, those that were laid to rest in it and still are. */
  const laid = new Uint32Array(lastingRounds);
  let credit = most;
  let round = 0;
  const placeOf = (at: number): number => at % lastingRounds;

  return {
    nextRound() {
      round += 1;
      credit = Math.min(most, credit + eachRound + (laid[placeOf(round)] ?? 0));
      laid[placeOf(round)] = 0;
    },
    take() {
      if (credit === 0) return undefined;
      credit -= 1;
      laid[placeOf(round)] = (laid[placeOf(round)] ?? 0) + 1;
      return round;
    },
    woke(at) {
      if (round - at < lastingRounds) laid[placeOf(at)] = (laid[placeOf(at)] ?? 0) - 1;
    },
  };
}
