import type { Capability, Lease } from "@db-katas/engines";
import type { Load, LoadOptions, LoadResult, Request } from "../load/load.ts";
import type { Random } from "../stats/random.ts";

/** An experiment as a description: reading one opens nothing. */
export interface ExperimentDefinition {
  /** What it finds out, in one sentence. */
  readonly title: string;
  /** Numbers that decide how big everything is. A claim's scale sets them. */
  readonly parameters: { readonly [name: string]: ParameterDefinition };
  /** The engines that it takes, by the part that they play. */
  readonly engines: { readonly [role: string]: EngineNeed };
  /** Who is compared, or the only one that is measured. */
  readonly contenders: { readonly [name: string]: ContenderDefinition };
  /** What is measured beyond {@link builtInMetrics}. */
  readonly metrics?: { readonly [name: string]: MetricDefinition };
  /** What {@link Turn.load} applies. */
  readonly load?: Load;
  /** Turns that are thrown away, of all contenders, before the first that counts. Default 2. */
  readonly warmUpTurns?: number;
  /** Default 40, see `DEFAULT_TURNS`. */
  readonly turns?: number;
  /** Fills the engines and connects. What it returns is closed when the experiment ends, however it ends. */
  open(stage: Stage): Promise<Bench>;
}

export interface ParameterDefinition {
  readonly what: string;
  readonly full: number;
  /** For a look whether it works at all. */
  readonly quick: number;
}

export interface EngineNeed {
  readonly engine: string;
  readonly needs?: readonly Capability[];
  /** `instance` when faults hit it, or its memory is to be its own. Default `namespace`. */
  readonly isolation?: "namespace" | "instance";
}

export interface ContenderDefinition {
  readonly what: string;
  /** Roles of those whose memory is its memory. Default none. */
  readonly memoryOf?: readonly string[];
}

/**
 * - `latency`: in milliseconds, any number of times a turn; kept as a histogram.
 * - `value`: once a turn, in its unit.
 */
export interface MetricDefinition {
  readonly what: string;
  readonly kind: "latency" | "value";
  /** `ms`, `B`, `1/s`, `1` for what has none, or a word of your own such as `rows` or `B/row`. */
  readonly unit: string;
}

/** What every experiment measures: the first three by {@link Turn.load}, the last by itself. */
export const builtInMetrics = {
  latency: { what: "time until the answer", kind: "latency", unit: "ms" },
  throughput: { what: "answers per second", kind: "value", unit: "1/s" },
  failed: { what: "requests that were refused", kind: "value", unit: "1" },
  memory: { what: "resident memory of the server, after the turn", kind: "value", unit: "B" },
} as const satisfies { readonly [name: string]: MetricDefinition };

/** What an experiment is given to open. */
export interface Stage {
  readonly leases: { readonly [role: string]: Lease };
  readonly parameters: { readonly [name: string]: number };
  /** The same for the same seed. */
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** An open experiment. */
export interface Bench extends AsyncDisposable {
  /** Measures one contender once. */
  measure(contender: string, turn: Turn): Promise<void>;
}

/** One measurement of one contender. */
export interface Turn {
  /** Counts from 0; negative while warming up. */
  readonly number: number;
  readonly signal: AbortSignal;
  /** Applies the experiment's load and records latency, throughput and failed. */
  load(request: Request, options?: Pick<LoadOptions, "mayFail" | "answerMs">): Promise<LoadResult>;
  /** Of a metric that the experiment defines, in its unit. */
  record(metric: string, value: number): void;
}

export function defineExperiment(definition: ExperimentDefinition): ExperimentDefinition {
  return definition;
}

/** All that is measured, by name. */
export function metricsOf(definition: ExperimentDefinition): {
  readonly [name: string]: MetricDefinition;
} {
  return { ...builtInMetrics, ...definition.metrics };
}
