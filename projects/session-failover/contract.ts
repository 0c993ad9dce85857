/**
 * What a submission implements: the one thing that the grader and your code share. Types only.
 *
 * A submission is a folder whose `index.ts` default-exports an object that `satisfies Submission`.
 * The grader starts every app node as a process of its own, calls it over RPC, and measures time on
 * its own side. Arguments and results are structured-clonable; an error is an `Error` whose `code`
 * is a {@link SessionErrorCode}.
 */

/** Where the stores are. One or the other, never both. */
export type Stores =
  | {
      readonly kind: "polyglot";
      /** `postgres://…`: the persistent store. Each node gets an address of its own. */
      readonly postgres: string;
      /** `redis://…`: the fast tier. Each node gets an address of its own. */
      readonly redis: string;
    }
  | {
      readonly kind: "local";
      /** Path of a SQLite file, for development on one machine; several processes may share it. */
      readonly sqlite: string;
    };

/** The part of the stores that has a schema: Redis has none. */
export type PersistentStore =
  | { readonly kind: "polyglot"; readonly postgres: string }
  | { readonly kind: "local"; readonly sqlite: string };

export interface NodeConfig {
  /** `"a"`, `"b"`, … unique among the nodes that share the stores. */
  readonly name: string;
  readonly stores: Stores;
  /**
   * The longest that one call may take, in milliseconds, whatever a store does. The call settles
   * within it: with an answer, or with `STORE_UNAVAILABLE`.
   */
  readonly requestBudgetMs: number;
  /**
   * S, in milliseconds (≤ 1,000). A write that this node could not confirm in Redis takes effect on
   * every other node within S of being acknowledged. A node that can't make sure of that asks
   * PostgreSQL, or fails closed.
   */
  readonly stalenessBoundMs: number;
}

/**
 * What the application keeps in a session. Structured-clonable, JSON-representable; the order of
 * keys carries no meaning, and no string holds U+0000 (`jsonb` takes none).
 */
export type SessionData = { readonly [key: string]: JsonValue };
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export interface Session {
  /**
   * The secret that the browser holds: at least 128 random bits, so at least 22 base64url
   * characters. It is stored nowhere in the clear but in Redis keys or values if you must; in
   * PostgreSQL and SQLite only a hash of it may appear.
   */
  readonly id: string;
  readonly userId: string;
  readonly data: SessionData;
  /** Starts at 1 and grows by one with each {@link SessionNode.update}; nothing else changes it. */
  readonly version: number;
  /** Milliseconds since the epoch, by the persistent store's clock. */
  readonly expiresAt: number;
}

/** What `list` tells about one of a user's sessions: enough for a "your devices" page, not the secret. */
export interface Device {
  readonly device: string;
  /** Milliseconds since the epoch, by the persistent store's clock. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/**
 * - `NOT_FOUND`: no such session, or it was destroyed, rotated away or has expired.
 * - `VERSION_CONFLICT`: the session's version is not the expected one.
 * - `STORE_UNAVAILABLE`: the stores can't give a safe answer within the budget. Whether a write
 *   happened is then unknown to the caller.
 *
 * The first two are certain: a call that rejects with one of them has written nothing.
 */
export type SessionErrorCode = "NOT_FOUND" | "VERSION_CONFLICT" | "STORE_UNAVAILABLE";

/**
 * One app node. An argument that makes no sense for any store (a `ttlMs` that is not a positive
 * number, say) is a bug of the caller: reject with a `RangeError` or `TypeError`; no check asks for it.
 */
export interface SessionNode {
  /**
   * Opens a session. Resolves only when it would survive the loss of Redis.
   * The user is created when there is none with that id.
   */
  create(input: {
    readonly userId: string;
    readonly device: string;
    readonly data: SessionData;
    readonly ttlMs: number;
  }): Promise<Session>;

  /** The session, or null when it doesn't exist, has expired, or was destroyed or rotated away. */
  get(id: string): Promise<Session | null>;

  /** Replaces the data. @throws `NOT_FOUND`, `VERSION_CONFLICT` */
  update(
    id: string,
    input: { readonly data: SessionData; readonly expectedVersion: number },
  ): Promise<Session>;

  /** Sliding expiry: the session now ends `ttlMs` from now. Leaves data and version alone. @throws `NOT_FOUND` */
  touch(id: string, ttlMs: number): Promise<Session>;

  /** Gives the session a new id (on login, against fixation); the old id is dead at once. @throws `NOT_FOUND` */
  rotate(id: string): Promise<Session>;

  /** Ends a session. Ending one that doesn't exist is not an error. */
  destroy(id: string): Promise<void>;

  /** Ends all of a user's sessions. @returns how many there were */
  destroyAll(userId: string): Promise<number>;

  /** The user's live sessions, oldest first; as new as what `get` tells of each of them. */
  list(userId: string): Promise<readonly Device[]>;

  /**
   * Finishes what is under way and lets go of every connection, within the budget. Calls after it
   * are refused with `STORE_UNAVAILABLE`.
   */
  close(): Promise<void>;
}

export interface Submission {
  /**
   * Brings a store to the schema that `createNode` needs. Called before any node is created, and
   * again with each deployment, while nodes are at work: a store that has the schema, and what is
   * in it, stays as it is.
   */
  migrate(store: PersistentStore): Promise<void>;
  /** Resolves within 3 s, whether or not Redis is there; the node uses Redis once it is. */
  createNode(config: NodeConfig): Promise<SessionNode>;
}
