import type { ServiceEntry, Target } from '#table/service-entry.ts';
import type { ActiveChecks } from '#table/upstream-policy.ts';
import { noCounts, observe, type HealthCounts, type ServiceHealth } from './health.ts';
import { sendProbe } from './health-probe.ts';
import { peerName } from './peer.ts';

interface Checked {
  readonly target: Target;
  readonly counts: HealthCounts;
  isOut: boolean;
  isProbed: boolean;
}

/**
 * Probes the targets of one service: the healthy ones at one interval, the others at another. A target is taken
 * for healthy until probes say otherwise. Timers and answers to probes come one at a time, so no two changes overlap.
 */
export class HealthCheck {
  readonly #tell: (health: ServiceHealth) => void;
  #service: ServiceEntry;
  #checks: ActiveChecks;
  #targets = new Map<string, Checked>();
  #timers: NodeJS.Timeout[] = [];

  constructor(service: ServiceEntry, checks: ActiveChecks, tell: (health: ServiceHealth) => void) {
    this.#service = service;
    this.#checks = checks;
    this.#tell = tell;
  }

  /** Takes a change of the service in and probes whoever is due. What is known of a target stays. */
  start(service: ServiceEntry, checks: ActiveChecks): void {
    const hasOther = JSON.stringify(checks) !== JSON.stringify(this.#checks);
    this.#service = service;
    this.#checks = checks;
    const before = this.#targets;
    this.#targets = new Map(
      service.targets.map((target) => {
        const name = peerName(target);
        const known = before.get(name);
        return [name, known ?? { target, counts: noCounts(), isOut: false, isProbed: false }];
      }),
    );
    if ([...before].some(([name, { isOut }]) => isOut && !this.#targets.has(name))) this.#report([]);
    if (hasOther || this.#timers.length === 0) this.#setTimers();
  }

  /** Ends all probes; nobody is out because of them any more. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    const wasOut = [...this.#targets.values()].some(({ isOut }) => isOut);
    this.#targets.clear();
    if (wasOut) this.#report([]);
  }

  /** Takes targets for unhealthy that others found so: requests, or who probed before. */
  putOut(names: readonly string[]): void {
    if (!this.#canComeBack()) return;
    const changed = names.flatMap((name) => this.#targets.get(name) ?? []).filter(({ isOut }) => !isOut);
    for (const checked of changed) {
      checked.isOut = true;
      Object.assign(checked.counts, noCounts());
    }
    if (changed.length > 0) this.#report([]);
  }

  /** Whether probes would ever find an unhealthy target healthy; if not, putting one out would be for good. */
  #canComeBack(): boolean {
    return this.#checks.unhealthyIntervalMs > 0 && this.#checks.successes > 0;
  }

  #setTimers(): void {
    for (const timer of this.#timers) clearInterval(timer);
    const { healthyIntervalMs, unhealthyIntervalMs } = this.#checks;
    this.#timers = [];
    if (healthyIntervalMs > 0) this.#timers.push(this.#every(healthyIntervalMs, ({ isOut }) => !isOut));
    if (unhealthyIntervalMs > 0) this.#timers.push(this.#every(unhealthyIntervalMs, ({ isOut }) => isOut));
  }

  #every(intervalMs: number, isDue: (checked: Checked) => boolean): NodeJS.Timeout {
    const round = (): void => void this.#round([...this.#targets.values()].filter(isDue));
    round();
    const timer = setInterval(round, intervalMs);
    timer.unref();
    return timer;
  }

  /** Probes targets, no more than so many at once. */
  async #round(due: readonly Checked[]): Promise<void> {
    const queue = due.filter(({ isProbed }) => !isProbed);
    for (const checked of queue) checked.isProbed = true;
    const lane = async (): Promise<void> => {
      for (let checked = queue.shift(); checked !== undefined; checked = queue.shift()) await this.#probe(checked);
    };
    await Promise.all(Array.from({ length: Math.min(this.#checks.concurrency, queue.length) }, lane));
  }

  async #probe(checked: Checked): Promise<void> {
    const checks = this.#checks;
    const observed = await sendProbe(this.#service, checked.target, checks);
    checked.isProbed = false;
    const name = peerName(checked.target);
    if (this.#targets.get(name) !== checked) return; // gone meanwhile
    const found = observe(checked.counts, observed, checks);
    if (found === undefined || checked.isOut === (found === 'unhealthy')) return;
    checked.isOut = found === 'unhealthy';
    this.#report(checked.isOut ? [] : [name]);
  }

  #report(back: readonly string[]): void {
    const out = [...this.#targets].filter(([, { isOut }]) => isOut).map(([name]) => name);
    this.#tell({ service: this.#service.key, out, back });
  }
}
