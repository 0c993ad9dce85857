/** One advisor: it may read the target, and do with the copy what it likes. */
import type {
  Advice,
  AdviseRequest,
  Advisor,
  ApplyRequest,
  ApplyResult,
  CollectRequest,
  NodeConfig,
  Split,
  Workload,
} from "../../contract.ts";
import { advise } from "./advise.ts";
import { apply } from "./apply.ts";
import { collect } from "./collect.ts";
import { Connection, ending, type Place } from "./databases.ts";
import { existingIndexes } from "./indexes.ts";
import { split } from "./split.ts";

/** Of a call's budget, what is kept to end in good order, in milliseconds. */
const MARGIN_MS = 500;

export class AdvisorNode implements Advisor {
  readonly #config: NodeConfig;
  readonly #open = new Set<Connection>();

  constructor(config: NodeConfig) {
    this.#config = config;
  }

  collect(request: CollectRequest): Promise<Workload> {
    return this.#on("target", true, (target) => collect(target, request));
  }

  async advise(request: AdviseRequest): Promise<Advice> {
    const deadline = this.#deadline();
    const existing = await this.#on("target", true, existingIndexes);
    return this.#on(
      "scratch",
      false,
      (scratch) => advise(scratch, existing, request, deadline),
      deadline,
    );
  }

  apply(request: ApplyRequest): Promise<ApplyResult> {
    return this.#on("target", false, (target) => apply(target, request, this.#deadline()));
  }

  split(sql: readonly string[], seed: number): Promise<Split> {
    return split(sql, seed);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((connection) => connection.abandon()));
  }

  async #on<T>(
    place: Place,
    readOnly: boolean,
    work: (connection: Connection) => Promise<T>,
    deadline = this.#deadline(),
  ): Promise<T> {
    const access = { place, url: this.#config[place], deadline, readOnly };
    await using connection = await Connection.open(access);
    this.#open.add(connection);
    try {
      return await work(connection);
    } catch (error) {
      throw ending(place, error);
    } finally {
      this.#open.delete(connection);
    }
  }

  #deadline(): number {
    return Date.now() + this.#config.requestBudgetMs - MARGIN_MS;
  }
}
