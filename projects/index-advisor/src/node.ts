/** One node: the calls of the contract, each in its time. */
import type {
  Advice,
  AdviseRequest,
  Advisor,
  ApplyRequest,
  ApplyResult,
  CollectRequest,
  Split,
  Workload,
} from "../contract.ts";
import { advise } from "./advise.ts";
import { apply } from "./apply.ts";
import { collect } from "./collect.ts";
import type { Settings } from "./config.ts";
import { split } from "./split.ts";

export class Node implements Advisor {
  readonly #settings: Settings;
  readonly #closing = new AbortController();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  collect(request: CollectRequest): Promise<Workload> {
    return collect(this.#settings.target, request, this.#options());
  }

  async advise(request: AdviseRequest): Promise<Advice> {
    const { target, scratch } = this.#settings;
    const { create, drop, rejected, skipped, beforeMs, afterMs } = await advise(request, {
      ...this.#options(),
      target,
      scratch,
    });
    return {
      create,
      drop: drop.map(({ sql: _, ...told }) => told),
      rejected,
      skipped,
      beforeMs,
      afterMs,
    };
  }

  apply(request: ApplyRequest): Promise<ApplyResult> {
    return apply(this.#settings.target, request, this.#options());
  }

  split(sql: readonly string[], seed: number): Promise<Split> {
    return split(sql, seed);
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  #options() {
    return { budgetMs: this.#settings.callMs, signal: this.#closing.signal };
  }
}
