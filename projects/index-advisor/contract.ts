/**
 * What a submission implements: the one thing that grader and submission share. Types only.
 *
 * A submission is a folder whose `index.ts` default-exports an object that `satisfies Submission`. The
 * grader starts every node as a process of its own and calls it over RPC, so arguments and results are
 * structured-clonable.
 */

export interface NodeConfig {
  /** Unique among the nodes: `"a"`, `"b"`. */
  readonly name: string;
  /**
   * `postgres://…` of the database to be advised. Others work in it meanwhile. Only `apply` changes
   * anything in it; whatever else this node does there leaves it as it was, byte for byte.
   */
  readonly target: string;
  /**
   * `postgres://…` of a copy of it, with the same rows on a server of the same kind, and nobody else in
   * it. Build, measure and destroy there what you like; it is thrown away afterwards. Its statistics may
   * be older than its rows, as the target's may.
   */
  readonly scratch: string;
  /** The longest that one call may take, in milliseconds. */
  readonly requestBudgetMs: number;
}

export interface Statement {
  /**
   * One statement of SQL: with constants, or as pg_stat_statements normalises it, with `$1`, `$2` … in
   * their place. `SELECT`, `INSERT`, `UPDATE`, `DELETE`; anything else is skipped, and said so.
   */
  readonly sql: string;
  /** How often it ran in the time that the workload covers. */
  readonly calls: number;
}

export interface Workload {
  readonly statements: readonly Statement[];
  /**
   * Above 0 when pg_stat_statements has forgotten statements since it was reset, to make room for others:
   * what is above is then not all. Otherwise 0. PostgreSQL counts how often it made room
   * (`pg_stat_statements_info.dealloc`), not how many went; that, or an estimate of the latter, will do.
   */
  readonly forgotten: number;
}

export interface CollectRequest {
  /** What "top" means. */
  readonly by: "total-time" | "calls" | "blocks";
  /** How many statements at most. */
  readonly limit: number;
}

export interface AdviseRequest {
  readonly statements: readonly Statement[];
  /**
   * What all indexes of `create` may take together, in bytes, as `pg_relation_size` tells once they are
   * built. Without it there is no limit.
   */
  readonly budgetBytes?: number;
}

/** How an index changes one statement, in milliseconds per call, both measured on the copy. */
export interface Evidence {
  /** Position in `AdviseRequest.statements`. */
  readonly statement: number;
  /** Without any of the indexes of `create`. */
  readonly beforeMs: number;
  /** With all of them. */
  readonly afterMs: number;
}

export interface CreateIndex {
  /** As it is in the catalogue: without a schema and without quotes, though `sql` may need them. Nothing else has it yet. */
  readonly name: string;
  /** `CREATE INDEX CONCURRENTLY …`, one statement, ready to run on the target; tables with their schema. */
  readonly sql: string;
  /** As it was when it was built on the copy. */
  readonly sizeBytes: number;
  /** The statements that it makes faster, at least one. */
  readonly evidence: readonly Evidence[];
}

/**
 * - `duplicate`: another index is the same but for its name; the other one is kept. A unique one only has
 *   a unique one for its like.
 * - `redundant-prefix`: another index begins with the same columns, in the same order and direction and with
 *   the same operator classes, with the same predicate or none on both, and can do all that this one does.
 * - `invalid`: left over from a build that failed; it costs writes, and serves nobody.
 */
export type DropReason = "duplicate" | "redundant-prefix" | "invalid";

export interface DropIndex {
  /** With its schema, both as they are in the catalogue, without quotes: `public.orders_customer_idx`. */
  readonly name: string;
  readonly reason: DropReason;
  /** The index that makes it superfluous, with its schema; it is not dropped. `null` for `invalid`. */
  readonly keep: string | null;
}

export interface Rejected {
  /** `CREATE INDEX …` that was considered. */
  readonly sql: string;
  /** Why not, for people: "didn't help when measured", "over budget" … */
  readonly why: string;
}

export interface Skipped {
  /** Position in `AdviseRequest.statements`. */
  readonly statement: number;
  /** Why, for people: a syntax error, a table that isn't there … */
  readonly why: string;
}

/**
 * A set of indexes for the workload as a whole: Σ calls × time per call, writes counted like reads, is
 * smaller with it than without, and nothing in it is there in vain. To be sure of the latter, a grader counts
 * blocks in place of milliseconds: what saves a sort but not a block is not worth an index.
 */
export interface Advice {
  /** May be empty: that can be the right answer. None that exists already, none twice. */
  readonly create: readonly CreateIndex[];
  /** Never one that backs a constraint, a foreign key's target or a replica identity. */
  readonly drop: readonly DropIndex[];
  readonly rejected: readonly Rejected[];
  /** What of the workload could not be taken into account. All the rest was. */
  readonly skipped: readonly Skipped[];
  /** Σ calls × time per call of what was not skipped, in milliseconds, measured on the copy, without `create`. */
  readonly beforeMs: number;
  /** The same with all of `create`. */
  readonly afterMs: number;
}

export interface ApplyRequest {
  readonly create: readonly Pick<CreateIndex, "name" | "sql">[];
  /** Dropped concurrently. One that isn't there counts as dropped. */
  readonly drop: readonly Pick<DropIndex, "name">[];
  /** The longest that a build may wait for one lock, in milliseconds. */
  readonly lockTimeoutMs: number;
  /** The longest that one build may take, in milliseconds. */
  readonly statementTimeoutMs: number;
}

export interface ApplyResult {
  /** Names, as in the request, in the order in which it was done. One that exists and is valid counts as built. */
  readonly built: readonly string[];
  readonly dropped: readonly string[];
  /** What could not be done, and is as it was before: of a build that failed nothing is left. */
  readonly failed: readonly { readonly name: string; readonly why: string }[];
}

/** The examples that a model is trained with, and those that it is judged by. Positions in what was given. */
export interface Split {
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/**
 * - `TARGET_UNAVAILABLE`, `SCRATCH_UNAVAILABLE`: that database gave no answer in time, or the connection broke.
 * - `NO_PERMISSION`: a database refused what the call can't do without.
 * - `EXTENSION_MISSING`: `collect` on a database without pg_stat_statements.
 *
 * Messages end up in logs: none has a password in it.
 */
export type AdvisorErrorCode =
  | "TARGET_UNAVAILABLE"
  | "SCRATCH_UNAVAILABLE"
  | "NO_PERMISSION"
  | "EXTENSION_MISSING";

export interface Advisor {
  /**
   * The target's workload, from pg_stat_statements: of this database, by whatever user, the top ones first,
   * without what an advisor itself has asked, on any node, and without what an advisor has no use for
   * (`CREATE`, `SET`, `BEGIN` …).
   *
   * @throws `EXTENSION_MISSING`, `TARGET_UNAVAILABLE`; `NO_PERMISSION`, also where others' texts are hidden
   */
  collect(request: CollectRequest): Promise<Workload>;
  /** Reads the target at most, tries on the copy. @throws `TARGET_UNAVAILABLE`, `SCRATCH_UNAVAILABLE`, `NO_PERMISSION` */
  advise(request: AdviseRequest): Promise<Advice>;
  /**
   * Builds and drops on the target, one after the other, without blocking anybody's writes for longer than
   * `lockTimeoutMs`. An invalid index of the same name, left from before, is replaced. One that somebody is building
   * at this moment is left alone. What a failed build
   * leaves can't be removed before the transactions that hold the table up have ended; to wait for them
   * blocks nobody, and may take longer than `lockTimeoutMs`.
   *
   * @throws `NO_PERMISSION`, `TARGET_UNAVAILABLE`
   */
  apply(request: ApplyRequest): Promise<ApplyResult>;
  /**
   * Divides statements for training and for judging a model that ranks candidates: every position on one
   * side, about one in four on the test side, both sides non-empty where there are two templates at least.
   * Statements that differ in constants, in how many of them a list has, in white space or in the case of
   * keywords are of one template, which is on one side only.
   */
  split(sql: readonly string[], seed: number): Promise<Split>;
  /** Ends whatever is under way, and gives back every connection. */
  close(): Promise<void>;
}

export interface Submission {
  createNode(config: NodeConfig): Promise<Advisor>;
}
