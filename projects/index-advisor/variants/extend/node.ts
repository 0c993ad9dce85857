/** One advisor: each call has an end, connections of its own, and errors that name the database. */
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
import { Connections, Deadline, explained } from "./connections.ts";
import { split } from "./split.ts";

/** So much of a call's budget is used; the rest is for the answer's way back. */
const SHARE = 0.85;

export class AdvisorNode implements Advisor {
  readonly #connections: Connections;
  readonly #config: NodeConfig;

  constructor(config: NodeConfig) {
    this.#config = config;
    this.#connections = new Connections(config);
  }

  async collect(request: CollectRequest): Promise<Workload> {
    const deadline = this.#deadline();
    await using target = await this.#connections.open("target", deadline, {
      default_transaction_read_only: "on",
    });
    return await onTarget(() => collect(target, request));
  }

  async advise(request: AdviseRequest): Promise<Advice> {
    return await advise(request, this.#connections, this.#deadline());
  }

  async apply(request: ApplyRequest): Promise<ApplyResult> {
    const deadline = this.#deadline();
    await using target = await this.#connections.open("target", deadline);
    return await onTarget(() => apply(target, request, deadline));
  }

  split(sql: readonly string[], seed: number): Promise<Split> {
    return split(sql, seed);
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  #deadline(): Deadline {
    return new Deadline(this.#config.requestBudgetMs * SHARE);
  }
}

async function onTarget<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explained("target", error);
  }
}
