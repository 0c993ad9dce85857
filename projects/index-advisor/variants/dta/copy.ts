/**
 * The copy, as a place to try things: all in one transaction, which is rolled back at the end, or by the
 * server when we are gone. Nobody has to tidy up, and who comes next finds it as it was.
 */
import { ANSWER_MS, type Connection, type Result, type Row } from "./databases.ts";
import { AdvisorError } from "./errors.ts";
import { type PlanNode, type Run, runOf } from "./plans.ts";

/** One at a time: two that build and measure side by side would measure each other. Any number will do. */
const LOCK = 7_236_114_905;

/** As the workload is judged: one process, no compilation, whose time depends on the machine. */
const SETTINGS = [
  "SET LOCAL jit = off",
  "SET LOCAL max_parallel_workers_per_gather = 0",
  // Or a plan would no longer fit the values after the fifth time.
  "SET LOCAL plan_cache_mode = force_custom_plan",
];

/** Where nobody answers, the server rolls back by itself. */
const FAREWELL_MS = 1_000;

export interface Prepared {
  /** As it was PREPAREd. */
  readonly name: string;
}

/** Values of all parameters, as SQL. */
export type Binding = readonly string[];

/** What is tried, where it takes settings or absent indexes. */
export interface Circumstances {
  /** With their schema, quoted. */
  readonly without?: readonly string[];
  readonly settings?: readonly string[];
}

export class Copy implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #deadline: number;
  #depth = 0;

  private constructor(connection: Connection, deadline: number) {
    this.#connection = connection;
    this.#deadline = deadline;
  }

  static async open(connection: Connection, deadline: number): Promise<Copy> {
    const copy = new Copy(connection, deadline);
    await copy.ask(["BEGIN", ...SETTINGS].join("; "));
    await copy.ask(`SELECT pg_advisory_xact_lock(${LOCK})`, copy.leftMs());
    return copy;
  }

  leftMs(): number {
    return Math.max(1, this.#deadline - Date.now());
  }

  ask(sql: string, limitMs = ANSWER_MS): Promise<Row[]> {
    return this.#connection.ask(sql, limitMs);
  }

  result(sql: string): Promise<Result> {
    return this.#connection.result(sql);
  }

  /** Undoes what `work` did if it fails. */
  async attempt<T>(work: () => Promise<T>): Promise<T> {
    const point = `s${this.#depth++}`;
    await this.ask(`SAVEPOINT ${point}`);
    try {
      const value = await work();
      await this.ask(`RELEASE ${point}`);
      return value;
    } catch (error) {
      await this.#undo(point, error);
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /** The plans as they would be, not run. */
  async plans(
    query: Prepared,
    bindings: readonly Binding[],
    circumstances: Circumstances = {},
    options = "COSTS OFF",
  ): Promise<PlanNode[]> {
    const explains = bindings.map(
      (binding) => `EXPLAIN (${options}, FORMAT JSON) ${execute(query, binding)}`,
    );
    const results = await this.#tried(explains, circumstances, ANSWER_MS);
    return results.map((rows) => explained(rows).Plan);
  }

  /** Runs it, and undoes what it did. @throws pg.DatabaseError 57014 after `limitMs` */
  async run(
    query: Prepared,
    binding: Binding,
    limitMs: number,
    { without = [], settings = [] }: Circumstances = {},
  ): Promise<Run> {
    const limit = Math.max(1, Math.ceil(Math.min(limitMs, this.leftMs())));
    const [rows] = await this.#tried(
      [`EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${execute(query, binding)}`],
      { without, settings: [`SET LOCAL statement_timeout = ${limit}`, ...settings] },
      limit,
    );
    const { Plan, "Execution Time": ms } = explained(rows ?? []);
    return runOf(Plan, ms);
  }

  /** In one message, for most of what it takes is the way to the server and back; and undone again. */
  async #tried(
    statements: readonly string[],
    { without = [], settings = [] }: Circumstances,
    limitMs: number,
  ): Promise<Row[][]> {
    const point = `s${this.#depth}`;
    const before = [`SAVEPOINT ${point}`, ...settings];
    if (without.length > 0) before.push(`DROP INDEX ${without.join(", ")}`);
    const script = [...before, ...statements, `ROLLBACK TO ${point}`, `RELEASE ${point}`];
    try {
      const results = await this.#connection.results(script.join("; "), limitMs);
      return results
        .slice(before.length, before.length + statements.length)
        .map(({ rows }) => rows);
    } catch (error) {
      await this.#undo(point, error);
      throw error;
    }
  }

  async #undo(point: string, error: unknown): Promise<void> {
    if (!(error instanceof AdvisorError)) await this.ask(`ROLLBACK TO ${point}; RELEASE ${point}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ask("ROLLBACK", FAREWELL_MS).catch(() => undefined);
  }
}

function execute({ name }: Prepared, binding: Binding): string {
  return `EXECUTE ${name}${binding.length > 0 ? `(${binding.join(", ")})` : ""}`;
}

interface Explanation {
  readonly Plan: PlanNode;
  readonly "Execution Time": number;
}

function explained(rows: readonly Row[]): Explanation {
  const [row] = rows;
  if (row === undefined) throw new Error("EXPLAIN answered with no row");
  const [document] = row["QUERY PLAN"] as [Explanation];
  return document;
}
