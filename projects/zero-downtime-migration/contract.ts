/**
 * What a submission implements: the one thing that the grader and your code share. Types only.
 *
 * A submission is a folder whose `index.ts` default-exports an object that `satisfies Submission`.
 * Every app node is a process of its own; an error is an `Error` whose `code` is a
 * {@link MigrationErrorCode}.
 *
 * Both stores are PostgreSQL servers, and your role owns the table that is in each when `migrate` is
 * called. `legacy`:
 *
 *     CREATE TABLE accounts (
 *       id         text PRIMARY KEY,
 *       email      text,         -- as somebody typed it: 'Ada@Example.ORG ', any case, blanks around it
 *       cents      text,         -- an integer as text: '1250', '-300', '+0012'
 *       closed_on  text,         -- '31.01.2026'; NULL or '' for an open account
 *       updated_at timestamptz   -- by the clock of whoever wrote last, if they thought of it: nobody relies on it
 *     )
 *
 * `modern`:
 *
 *     CREATE TABLE accounts (
 *       id            text PRIMARY KEY,
 *       email         text NOT NULL,     -- lower case, no blanks around it
 *       balance_cents bigint NOT NULL,
 *       closed_on     date
 *     )
 *
 * Others read these two tables as they are, so they are what is judged. Add tables, triggers, functions
 * and columns with defaults as you like; the columns above keep their names, types and meaning.
 */

/** An account as clients see it, in every phase and from either store. */
export interface Account {
  /** 1 to 40 letters, digits and dashes. */
  readonly id: string;
  /** Lower case, without blanks around it, whatever a client or the old store wrote. */
  readonly email: string;
  /** A safe integer; may be negative. */
  readonly balanceCents: number;
  /** `2026-01-31`; null for an open account. */
  readonly closedOn: string | null;
}

export interface Read {
  /** Null when there is none. */
  readonly account: Account | null;
  /**
   * Which store's row this answer is. An answer from `modern` is what stands in modern's table,
   * also where somebody else changed it there.
   */
  readonly servedFrom: StoreName;
}

export type StoreName = "legacy" | "modern";

/**
 * Where the migration stands, in order. One phase holds for all nodes.
 *
 * | phase       | who has the last word | reads are answered by                    | what is written goes        |
 * | ----------- | --------------------- | ---------------------------------------- | --------------------------- |
 * | `legacy`    | legacy                | legacy                                   | to legacy                   |
 * | `copying`   | legacy                | legacy                                   | to legacy, and on to modern |
 * | `shadow`    | legacy                | legacy, and are compared with modern     | to legacy, and on to modern |
 * | `canary-N`  | legacy                | modern, for N % of the ids; else legacy  | to legacy, and on to modern |
 * | `modern`    | modern                | modern                                   | to modern, and on to legacy |
 *
 * "On to": within seconds, once that store can be reached, in whatever phase but `legacy`. There nothing
 * has to: before the phase first leaves `legacy`, nothing goes to modern's table; after a rollback, what is
 * pending may still arrive, or wait for the next attempt, as what is written meanwhile does.
 */
export type Phase =
  | "legacy"
  | "copying"
  | "shadow"
  | "canary-5"
  | "canary-25"
  | "canary-50"
  | "canary-100"
  | "modern";

/**
 * - `NOT_FOUND`, `ALREADY_EXISTS`: certain; nothing was written.
 * - `NOT_READY`: the phase could not be changed, and is what it was; the message says why.
 * - `STORE_UNAVAILABLE`: the store that has the last word gave no answer. Whether a write happened is
 *   unknown. Of `backfill` and `verify`: either store gave none; what is done so far is kept, and it can
 *   be called again. `setPhase` says `NOT_READY` for a store that is away.
 */
export type MigrationErrorCode = "NOT_FOUND" | "ALREADY_EXISTS" | "NOT_READY" | "STORE_UNAVAILABLE";

/** The phase as one node knows it, and how far the migration is. */
export interface Status {
  readonly phase: Phase;
  /**
   * Writes and copies that were noted and have yet to arrive in the other store, of all nodes. 0 says
   * that everything that was acknowledged before this call is in both. In the phase `legacy`, where
   * nothing goes on to modern, it says nothing.
   */
  readonly pending: number;
  readonly shadow: {
    /** Reads of this node that were compared, since it started. */
    readonly compared: number;
    /**
     * Ids of those whose rows said different things, each once, oldest first. What is on its way is
     * none.
     */
    readonly mismatches: readonly string[];
  };
}

/** Row by row: what the store that doesn't have the last word got wrong. What is on its way is not. */
export interface Comparison {
  /** How many ids: those that are in either store. */
  readonly compared: number;
  /** Ids that it lacks, those that nobody copied yet among them. */
  readonly missing: readonly string[];
  /** Ids that it has, and should not. */
  readonly surplus: readonly string[];
  /** Ids whose rows mean different accounts. */
  readonly differing: readonly string[];
}

/**
 * One app node.
 *
 * Clients' calls settle within `requestBudgetMs`, in every phase and while it changes. The store that
 * doesn't have the last word may be slow or away: no client is refused for it. A read sees all that was
 * acknowledged before it began, by whichever node, whatever store answers it. A call has its effect once,
 * and before it resolves: also when a message of it arrives so late that the phase has come and gone.
 *
 * The operator's calls may take 8 s. What they began and nobody finished can be taken up by any
 * node, at any time.
 */
export interface MigrationNode {
  /** @throws `ALREADY_EXISTS`; an id that was removed may be created again */
  create(account: Account): Promise<void>;
  get(id: string): Promise<Read>;
  /** One answer for each, in the order of the ids. */
  getMany(ids: readonly string[]): Promise<readonly Read[]>;
  /** Replaces what is given. @throws `NOT_FOUND` */
  update(id: string, change: Partial<Omit<Account, "id">>): Promise<void>;
  /** @throws `NOT_FOUND` */
  remove(id: string): Promise<void>;

  /**
   * The operator's: one phase on (nobody asks for one further on), or back to any earlier one. When it
   * resolves, every node goes by it; when it rejects, the phase is what it was, unless the answer to a
   * commit was lost: then it is the one or the other, the same on every node. On to `modern` only when all rows are copied and
   * both stores are reached; back from `modern` only with all that was written to it, so not while
   * either store is away. The phase that it is already: nothing happens. Of two who ask on two nodes
   * at the same moment one may be refused, and clients go on.
   * @throws `NOT_READY`
   */
  setPhase(phase: Phase): Promise<void>;
  /**
   * The operator's: copies rows that legacy has and nobody copied yet, at most `limit` of them. Which
   * ones come next is up to you. To be called on any nodes, also at the same time, until it says that
   * it is done; nobody calls it in the phase `legacy`.
   */
  backfill(limit: number): Promise<{ readonly done: boolean }>;
  /**
   * The operator's: compares all rows of both stores.
   * @param repair also makes the store that doesn't have the last word right again, before it resolves
   * @returns what was found, repaired or not
   */
  verify(options: { readonly repair: boolean }): Promise<Comparison>;
  status(): Promise<Status>;
  /** Lets go of every connection, within the budget. */
  close(): Promise<void>;
}

export interface NodeConfig {
  /** Unique among the nodes: `"a"`, `"b"`. */
  readonly name: string;
  /** `postgres://…`, this node's own address of it. */
  readonly legacy: string;
  /** `postgres://…` */
  readonly modern: string;
  /** The longest that a client's call may take, in milliseconds, whatever the stores do. */
  readonly requestBudgetMs: number;
}

export interface Submission {
  /**
   * Brings one store to what `createNode` needs; called for each, and again with each deployment. Until
   * the phase first leaves `legacy`, the old application writes into legacy's table as well, past you.
   */
  migrate(store: { readonly name: StoreName; readonly url: string }): Promise<void>;
  /** Resolves within 3 s if the store that has the last word is there. */
  createNode(config: NodeConfig): Promise<MigrationNode>;
}
