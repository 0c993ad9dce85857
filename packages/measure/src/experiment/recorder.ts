import { experimentMisuse } from "../errors.ts";
import { applyLoad } from "../load/load.ts";
import { Latencies } from "../stats/latencies.ts";
import { type ExperimentDefinition, metricsOf, type Turn } from "./definition.ts";
import type { TurnRecord } from "./journal.ts";

/** The measurement of one contender, while it lasts, and what it found. */
export class Recorder implements Turn {
  readonly number: number;
  readonly signal: AbortSignal;
  readonly #definition: ExperimentDefinition;
  readonly #values = new Map<string, number>();
  readonly #latencies = new Map<string, Latencies>();

  constructor(definition: ExperimentDefinition, number: number, signal: AbortSignal) {
    this.#definition = definition;
    this.number = number;
    this.signal = signal;
  }

  load: Turn["load"] = async (request, options = {}) => {
    const { load } = this.#definition;
    if (!load) throw experimentMisuse("turn.load() was called, and the experiment has no load");
    const result = await applyLoad(load, request, { ...options, signal: this.signal });
    if (this.#latencies.has("latency")) {
      throw experimentMisuse("turn.load() was called twice in one turn");
    }
    this.#latencies.set("latency", result.latencies);
    this.#values.set("throughput", result.perSecond).set("failed", result.failed);
    return result;
  };

  record(metric: string, value: number): void {
    const defined = metricsOf(this.#definition)[metric];
    if (!defined) throw experimentMisuse(`turn.record("${metric}"): there is no such metric`);
    if (!Number.isFinite(value)) {
      throw experimentMisuse(`turn.record("${metric}", ${value}): that is no number`);
    }
    if (defined.kind === "value") {
      if (this.#values.has(metric)) {
        throw experimentMisuse(`turn.record("${metric}") was called twice in one turn`);
      }
      this.#values.set(metric, value);
      return;
    }
    const latencies = this.#latencies.get(metric) ?? new Latencies();
    latencies.record(value);
    this.#latencies.set(metric, latencies);
  }

  get found(): TurnRecord["contenders"][string] {
    const histograms = [...this.#latencies].map(
      ([metric, latencies]) => [metric, { histogram: latencies.encode() }] as const,
    );
    return Object.fromEntries([...histograms, ...this.#values]);
  }
}
