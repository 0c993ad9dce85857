/** The words that the parts of the advisor share. Inert data and interfaces only. */

export type AccessMethod = "btree" | "hash" | "brin" | "gin" | "gist";

export interface IndexKey {
  /** A column's name as it stands in the catalogue, or `expression` in its place: `lower((email)::text)`. */
  readonly column?: string;
  readonly expression?: string;
  /** Not the type's default one: `text_pattern_ops`, `jsonb_path_ops`, `gin_trgm_ops`. */
  readonly operatorClass?: string;
  /** Not the column's own one, quoted where that is needed. */
  readonly collation?: string;
  readonly descending?: boolean;
  /** Where it differs from the direction's default. */
  readonly nulls?: "first" | "last";
}

/** An index that there is, or could be. */
export interface IndexSpec {
  readonly schema: string;
  readonly table: string;
  readonly method: AccessMethod;
  readonly keys: readonly IndexKey[];
  /** Columns that are only carried along. */
  readonly include: readonly string[];
  /** A partial index's predicate, as SQL without `WHERE`. */
  readonly where?: string;
}

/** A statement that the parser understood, with constants for its parameters. */
export interface Query {
  /** Position in the request. */
  readonly statement: number;
  readonly calls: number;
  readonly kind: "select" | "insert" | "update" | "delete";
  /**
   * Runnable texts, without parameters. Several where the text had `$1`: typical and rare values, each
   * with its share of the calls; the shares add up to 1.
   */
  readonly instances: readonly { readonly sql: string; readonly share: number }[];
  /** What it asks of each table. */
  readonly accesses: readonly Access[];
}

export type Comparison =
  | "equal"
  | "in"
  | "range"
  | "prefix"
  | "like"
  | "is-null"
  | "is-not-null"
  /** Operators of jsonb, arrays, full text, ranges: named by `operator`. */
  | "operator"
  /** Nothing that an index can look up (`<>`, `NOT IN`), but a partial index may have it as its predicate. */
  | "filter";

export interface Predicate {
  /** A column's name, or an expression over the table's columns as SQL. */
  readonly column?: string;
  readonly expression?: string;
  readonly comparison: Comparison;
  /** `@>`, `?`, `@@`, `&&`, `~~*` …, where `comparison` is `operator` or `like`. */
  readonly operator?: string;
  /** `pg_type.typname` of `expression`: `text`, `tsvector`, `jsonb`. */
  readonly type?: string;
  /** As SQL, where it is a constant of the text and no parameter. */
  readonly constant?: string;
  /** All of it as the server writes it, where a partial index may have it as its predicate. */
  readonly condition?: string;
  /** A join's condition has a column of another table on its other side. */
  readonly joins?: { readonly alias: string; readonly column: string };
  /** Number of the OR (within the statement) that it is an arm of; arms of one OR want an index each. */
  readonly or?: number;
  /** Number of the arm within that OR; predicates of one arm all have to hold. */
  readonly arm?: number;
}

export interface SortKey {
  readonly column?: string;
  readonly expression?: string;
  readonly descending: boolean;
  readonly nulls?: "first" | "last";
  /** `col <-> value`: nearest neighbours. */
  readonly distanceTo?: string;
}

/** One table in one statement. */
export interface Access {
  readonly schema: string;
  readonly table: string;
  /** `schema.table` of the partitioned table that the statement names, of which this is a part. */
  readonly partOf?: string;
  readonly alias: string;
  readonly predicates: readonly Predicate[];
  /** Only where the whole order comes from this table. */
  readonly sort: readonly SortKey[];
  readonly group: readonly string[];
  readonly limit: boolean;
  /** Every column of it that the statement reads, for covering indexes. `undefined`: all (`*`). */
  readonly reads?: readonly string[];
  /** Columns that an UPDATE sets; all of them for INSERT and DELETE. */
  readonly writes?: readonly string[];
  /** Columns that ON CONFLICT DO UPDATE sets; `undefined` without it. */
  readonly updates?: readonly string[];
}

/** An index that could be made, and why. */
export interface Candidate {
  readonly index: IndexSpec;
  /** Statements that it came from. */
  readonly statements: readonly number[];
  /** HypoPG can pretend it: btree, hash, brin. */
  readonly hypothetical: boolean;
}

/**
 * What the planner thinks of sets of indexes. Live: it holds one connection of its own, because
 * hypothetical indexes belong to a session.
 */
export interface WhatIf extends AsyncDisposable {
  /** How it pretends: for people. */
  readonly kind: "hypopg" | "real builds";
  /** @returns the planner's cost of each query with exactly this set besides what exists, in its units; calls not counted in */
  costs(queries: readonly Query[], set: readonly Candidate[]): Promise<readonly number[]>;
  /** The same of one query, and what of the set its plan has. */
  plan(
    query: Query,
    set: readonly Candidate[],
  ): Promise<{ readonly cost: number; readonly used: readonly Candidate[] }>;
  /** Estimated, in bytes. */
  size(candidate: Candidate): Promise<number>;
  /** How often the planner was asked until now. */
  readonly calls: number;
}

export interface SelectionRequest {
  readonly queries: readonly Query[];
  readonly candidates: readonly Candidate[];
  /** What is chosen already and stays. Default: nothing. */
  readonly kept?: readonly Candidate[];
  readonly whatIf: WhatIf;
  readonly budgetBytes: number;
  /** Cost that an index adds to one call of a query that writes, in the planner's units; 0 for those that don't touch it. */
  readonly writeCost: (query: Query, candidate: Candidate) => number;
  /** When it is aborted, time is up: the answer is what was found until then. */
  readonly signal: AbortSignal;
}

/** Chooses a set. Greedy, Extend, DTA … */
export type Select = (request: SelectionRequest) => Promise<readonly Candidate[]>;
