import { Latencies } from "../stats/latencies.ts";
import type { Environment } from "./environment.ts";
import type { TurnRecord } from "./journal.ts";
import type { Experiment } from "./load-experiment.ts";

/** What an experiment has found, at one setting of its parameters. */
export class Results {
  readonly experiment: Experiment;
  readonly parameters: { readonly [name: string]: number };
  readonly environment: Environment;
  readonly turns: readonly TurnRecord[];
  readonly #decoded = new Map<string, readonly Latencies[]>();

  constructor(
    experiment: Experiment,
    parameters: { readonly [name: string]: number },
    environment: Environment,
    turns: readonly TurnRecord[],
  ) {
    this.experiment = experiment;
    this.parameters = parameters;
    this.environment = environment;
    this.turns = turns;
  }

  /** @returns one for each turn; undefined where a turn lacks it */
  values(contender: string, metric: string): readonly number[] | undefined {
    const found = this.turns.map(({ contenders }) => contenders[contender]?.[metric]);
    return found.every((each) => typeof each === "number") ? found : undefined;
  }

  /** Likewise of a metric that is a latency. */
  latencies(contender: string, metric: string): readonly Latencies[] | undefined {
    const key = `${contender}/${metric}`;
    const known = this.#decoded.get(key);
    if (known) return known;
    const found = this.turns.map(({ contenders }) => contenders[contender]?.[metric]);
    if (!found.every((each) => typeof each === "object")) return undefined;
    const decoded = found.map(({ histogram }) => Latencies.decode(histogram));
    this.#decoded.set(key, decoded);
    return decoded;
  }
}
