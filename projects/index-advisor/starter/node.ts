/**
 * One advisor. It has two databases: it may read the target, and do with the copy what it likes.
 *
 * Suggested order:
 * - task 1, `collect`, and task 7, `split`: each stands alone.
 * - tasks 2 to 4: `advise`. First one statement and one index, from the parser to the measured figures;
 *   then all of the workload, a budget, and what only a set of indexes does.
 * - task 5: the list of what can go. Task 6, `apply`.
 */
import type {
  Advice,
  AdviseRequest,
  Advisor,
  ApplyRequest,
  ApplyResult,
  CollectRequest,
  DropIndex,
  NodeConfig,
  Split,
  Workload,
} from "../contract.ts";
import { type Connection, connected } from "./databases.ts";
import { NotImplemented } from "./errors.ts";
import { type Candidate, candidatesFor, type Query, understood } from "./statements.ts";

export class AdvisorNode implements Advisor {
  readonly config: NodeConfig;

  constructor(config: NodeConfig) {
    this.config = config;
  }

  /** Task 1. pg_stat_statements has more than your statements: whose, of which database, and is it all? */
  async collect(_request: CollectRequest): Promise<Workload> {
    await using _target = await this.#connected("target", { readOnly: true });
    throw new NotImplemented("task 1: collect");
  }

  async advise(request: AdviseRequest): Promise<Advice> {
    const { queries, skipped } = await understood(request.statements);
    const candidates = candidatesFor(queries);
    await using scratch = await this.#connected("scratch");
    const chosen = await this.#select(scratch, queries, candidates, request.budgetBytes);
    const measured = await this.#measured(scratch, queries, chosen);
    await using target = await this.#connected("target", { readOnly: true });
    return { ...measured, drop: await this.#superfluous(target), skipped };
  }

  /** Task 3. What would the planner do with a set of indexes, and what does the set cost those who write? */
  async #select(
    _scratch: Connection,
    _queries: readonly Query[],
    _candidates: readonly Candidate[],
    _budgetBytes: number | undefined,
  ): Promise<readonly Candidate[]> {
    throw new NotImplemented("task 3: what-if, and the selection of a set");
  }

  /** Task 4. The planner has estimated. Build them, run the statements, and keep what helped. */
  async #measured(
    _scratch: Connection,
    _queries: readonly Query[],
    _chosen: readonly Candidate[],
  ): Promise<Pick<Advice, "create" | "rejected" | "beforeMs" | "afterMs">> {
    throw new NotImplemented("task 4: measured evidence");
  }

  /** Task 5. Which indexes do what another one does as well, and which of them hold something up? */
  async #superfluous(_target: Connection): Promise<readonly DropIndex[]> {
    throw new NotImplemented("task 5: the list of what can go");
  }

  /** Task 6. What does a concurrent build leave behind when it fails, and whom does it wait for? */
  async apply(_request: ApplyRequest): Promise<ApplyResult> {
    throw new NotImplemented("task 6: apply");
  }

  /** Task 7. When are two statements the same to a model that has learned one of them? */
  async split(_sql: readonly string[], _seed: number): Promise<Split> {
    throw new NotImplemented("task 7: split");
  }

  async close(): Promise<void> {}

  #connected(place: "target" | "scratch", { readOnly = false } = {}): Promise<Connection> {
    const statementMs = this.config.requestBudgetMs / 2;
    return connected(place, this.config[place], { statementMs, readOnly });
  }
}
