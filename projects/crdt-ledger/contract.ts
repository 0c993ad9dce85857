/**
 * What a submission implements: the one thing that the grader and your code share. Types only.
 *
 * A submission is a folder whose `index.ts` default-exports an object that `satisfies Submission`. The
 * grader starts every node as a process of its own and calls it over RPC. A node is one of two things:
 *
 * - a **replica**: what a person's browser holds. It talks to nobody; the grader carries its changes to
 *   others, late, twice, out of order, or not at all;
 * - a **server**: it keeps the changes of all documents in PostgreSQL, and hands them on over WebSockets.
 *   The grader is its client.
 *
 * Arguments and results are structured-clonable. An error is an `Error` whose `code` is a
 * {@link LedgerErrorCode}; a call that rejects with one of them has changed nothing.
 */

/** Who writes: up to 40 of `a`–`z`, `0`–`9` and `-`. */
export type Actor = string;
/** Names a document: up to 60 of `a`–`z`, `0`–`9` and `-`. */
export type DocumentId = string;
/**
 * Names a shape: up to 60 of `a`–`z`, `0`–`9` and `-`. Whoever adds one makes up an id that nobody else uses. If
 * two do use the same one, unseen by one another, one of both shapes is there, the same one everywhere.
 */
export type ShapeId = string;

/** What is drawn. All numbers are finite, and -0 is 0. */
export interface Properties {
  readonly type: "rectangle" | "ellipse" | "line" | "text" | "group";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** `#rrggbb` */
  readonly color: string;
}

/** Everything but what a shape is. */
export type Settable = Partial<Omit<Properties, "type">>;

/**
 * What one person does. Edits of the board:
 *
 * - `add`: a shape in a group (null: on the board itself), right above the sibling `above` (null: below all).
 * - `set`: some properties.
 * - `move`: into another group or to another height among its siblings.
 * - `delete`: a shape, with all that is in it.
 * - `insert`, `remove`: characters of a shape's text, which every shape has. `at` and `length` count UTF-16
 *   code units, as JavaScript does; no edit begins or ends within a surrogate pair, and no text that is
 *   inserted has half of one. One edit inserts or removes at most 100,000 code units.
 *
 * Edits of the ledger; amounts are whole numbers from 1 to 1,000,000,000:
 *
 * - `issue`: money appears on an account, and the right to spend it belongs to whoever issues it. The
 *   treasurer alone may do so ({@link NodeConfig.treasurer}).
 * - `transfer`: from one account to another. It takes the right to spend as much of `from`; the right to
 *   spend it from `to` belongs to whoever transferred it.
 * - `lend`: the right to spend so much of an account, to somebody else. The balance stays.
 *
 * An account is there once something is on it, and stays when nothing is; it is named like a shape.
 */
export type Edit =
  | {
      readonly kind: "add";
      readonly shape: ShapeId;
      readonly parent: ShapeId | null;
      readonly above: ShapeId | null;
      readonly properties: Properties;
    }
  | { readonly kind: "set"; readonly shape: ShapeId; readonly properties: Settable }
  | {
      readonly kind: "move";
      readonly shape: ShapeId;
      readonly parent: ShapeId | null;
      readonly above: ShapeId | null;
    }
  | { readonly kind: "delete"; readonly shape: ShapeId }
  | { readonly kind: "insert"; readonly shape: ShapeId; readonly at: number; readonly text: string }
  | {
      readonly kind: "remove";
      readonly shape: ShapeId;
      readonly at: number;
      readonly length: number;
    }
  | { readonly kind: "issue"; readonly account: string; readonly amount: number }
  | {
      readonly kind: "transfer";
      readonly from: string;
      readonly to: string;
      readonly amount: number;
    }
  | {
      readonly kind: "lend";
      readonly account: string;
      readonly to: Actor;
      readonly amount: number;
    };

export interface Shape extends Properties {
  readonly id: ShapeId;
  readonly text: string;
  /** From the lowest to the highest; empty where there are none. Only a group has any. */
  readonly children: readonly Shape[];
}

/** What everybody sees who has the same changes: equal, whatever way they came. */
export interface View {
  /** From the lowest to the highest. */
  readonly shapes: readonly Shape[];
  /** Of each account; never below 0. */
  readonly balances: Readonly<Record<string, number>>;
}

/** What one call of {@link Replica.edit} or {@link Replica.undo} did, to be sent to others. */
export interface Change {
  readonly actor: Actor;
  /** 1, 2, 3, …: which one of its actor's changes of this document it is. */
  readonly seq: number;
  /** In a form of your own. No other replica has anything else to go by. */
  readonly bytes: Uint8Array;
}

/** For each actor, up to which `seq` all of its changes are there. Who has none isn't in it. */
export type Version = Readonly<Record<Actor, number>>;

/**
 * - `INVALID_EDIT`: there is no such shape here, or there was one of that id before, deleted or not; `above`
 *   is no other shape in that group; a position is outside of the text, a shape in itself, a child of what is
 *   no group, a value that the types above don't allow.
 * - `INSUFFICIENT_ESCROW`: this replica has not the right to spend so much of that account, now.
 * - `NOT_TREASURER`: somebody else wants to issue money.
 * - `INVALID_CHANGE`: a change that its actor's replica can't have made: broken, forged, or of another
 *   actor than it says; that adds a shape which its actor had seen, or touches one which it had not. It may
 *   come at any moment of its actor's life; what it had seen counts, and nothing else that is here: so it
 *   is refused everywhere or nowhere. Only one case is beyond a replica: an actor who makes two different
 *   changes with one `seq`. Whoever has the one refuses the other, and which one holds is for the servers'
 *   log to say.
 * - `STORE_UNAVAILABLE`: PostgreSQL gave no answer within the budget.
 */
export type LedgerErrorCode =
  | "INVALID_EDIT"
  | "INSUFFICIENT_ESCROW"
  | "NOT_TREASURER"
  | "INVALID_CHANGE"
  | "STORE_UNAVAILABLE";

/**
 * One actor's copies of documents, in memory. A document that was never named is empty.
 *
 * What concurrent changes come to (neither had seen the other):
 *
 * 1. **One of both values.** Of two that set the same property, or move the same shape, one takes effect:
 *    the same one everywhere. A change that had seen the other one always wins, whatever any clock says;
 *    who wins otherwise is nobody's clock's to say either.
 * 2. **Deleted is deleted.** Whatever else is done to a shape at the same time, it is gone, with all that
 *    is in it. Only undoing the deletion brings it back, with what others did to it meanwhile; where several
 *    have deleted it, all of them have to undo that.
 * 3. **A tree stays a tree.** However shapes are moved into one another, each that isn't deleted is on the
 *    board once, with all that is in it. What is in a group when both changes are known is deleted with it:
 *    a shape that somebody moves out at the same time is not, one that somebody moves in is.
 * 4. **Runs stay together.** Who adds or moves shapes one right above the other, or types a word, finds
 *    them so afterwards: what somebody else puts to the same place at the same time comes before or after.
 *    However often something was put to one place, a change there has no more bytes than another one.
 * 5. **Nobody spends what he has no right to.** Transfers go on without any connection, as far as one's
 *    rights go; a balance is never below 0, and their sum is what was issued.
 */
export interface Replica {
  /**
   * Does all of it at once, here, without asking anybody; others see all of it or none of it.
   * @returns the change; the next `seq`
   * @throws `INVALID_EDIT`, `INSUFFICIENT_ESCROW`, `NOT_TREASURER`: none of it was done
   */
  edit(document: DocumentId, edits: readonly Edit[]): Promise<Change>;

  /**
   * Takes back what this replica's last `edit` of the board did that isn't taken back yet: shapes that it
   * added are deleted, those that it deleted are there again, properties, places and texts are what they
   * were, but for what somebody else has changed since. Edits of the ledger stay as they are; an `edit`
   * with nothing else in it is passed over.
   *
   * What puts a value or a place back is a change like any other one: beside a `set` or a `move` of somebody
   * else that it hadn't seen, and that hadn't seen it, one of both takes effect (rule 1).
   *
   * A shape isn't moved back into a group that is deleted now, nor into itself: it stays where it is.
   * Characters that are put back are typed anew by whoever undoes: nobody else's undo takes them out, and
   * what two have removed and both put back is there twice. They are in their order again, between those
   * that they were between; what somebody else has typed there meanwhile is before, after or among them.
   * What the `edit` itself had typed isn't put back.
   * @returns the change, or null where there is nothing to take back
   */
  undo(document: DocumentId): Promise<Change | null>;

  view(document: DocumentId): Promise<View>;

  /** What this actor may spend of an account, now and without asking anybody. */
  escrow(document: DocumentId, account: string): Promise<number>;

  version(document: DocumentId): Promise<Version>;

  /**
   * All changes of anybody that this replica has and `version` lacks, each after those that it had seen:
   * whoever takes them in this order need never wait for another one. Changes that came with a
   * {@link Replica.load} are not there any more: @throws `INVALID_CHANGE` where they would be needed.
   */
  changesSince(document: DocumentId, version: Version): Promise<readonly Change[]>;

  /**
   * Takes others' changes, and what the same actor has made elsewhere, in any order, however often. One that
   * had seen another that isn't here yet takes effect when that one has come; `version` counts it from then on.
   * @throws `INVALID_CHANGE`: none of these was taken, and whatever is sound may still come
   */
  receive(document: DocumentId, changes: readonly Change[]): Promise<void>;

  /** The document as one piece, in a form of your own: what others need who begin with it. */
  save(document: DocumentId): Promise<Uint8Array>;

  /**
   * Takes what another replica saved, as if all the changes in it had come; some may be this actor's own,
   * made elsewhere: the next `edit` goes on after them.
   * @throws `INVALID_CHANGE` where it is broken, or comes to something that sound changes can't come to
   */
  load(document: DocumentId, saved: Uint8Array): Promise<void>;

  close(): Promise<void>;
}

/**
 * What a client and the server say to each other: text frames, each one JSON value. `bytes` are base64.
 *
 * A client connects to `<address>/<document>?token=<token>`. The token is a JSON Web Token (HS256, by the
 * config's `secret`) with the claims `sub` (an {@link Actor}), `doc` (a {@link DocumentId}) and `exp`. A
 * server closes a connection without a valid one with code 4401, before anything is sent. Other clients never
 * hear of it.
 * Where a token ends while its connection is open, the server closes it with 4401 within five seconds.
 *
 * - `hello` is the client's first word, with what it has. The server answers with what it lacks: a
 *   `snapshot` first, where changes that it needs are compacted, then `changes`, in an order that never
 *   makes it wait; `synced` comes after these. From then on `changes` bring what was pushed to the same
 *   document on other connections, of this server or another one, each of them once per connection. Nobody
 *   hears of a change before it is stored for good, be it acknowledged by then or not.
 * - `push` sends changes of the token's actor, the next `seq` and those after it. `acked` says that all up
 *   to there are in PostgreSQL for good. What was pushed before is acknowledged again and stored once. Of
 *   what is compacted nobody need know the bytes: whatever comes under such a `seq` may be acknowledged, and
 *   is stored nowhere.
 * - `refused` says which `push` was refused whole, and why: `INVALID_CHANGE` (broken, forged, another
 *   actor's, other bytes under a `seq` whose row is there, money without the right to it), `TOO_EARLY` (a
 *   change before it, of its actor or of another one whom it had seen, isn't here yet: push it again after
 *   that), `TOO_LARGE` (a change over the limit), `STORE_UNAVAILABLE`. The connection stays.
 * - `cursor` goes to all others who are on the document, and is kept nowhere.
 * - A `snapshot` may come later as well, before `changes` that come after it, where a compaction has
 *   overtaken a server.
 * - Anything else, such as a second `hello`, another word before it, or a binary frame: the server closes
 *   the connection with 4400. A frame that is larger than
 *   `limits.frameBytes`: it closes it with 1009, and keeps nothing of it.
 */
export type ClientFrame =
  | { readonly type: "hello"; readonly version: Version }
  | { readonly type: "push"; readonly id: number; readonly changes: readonly WireChange[] }
  | { readonly type: "cursor"; readonly x: number; readonly y: number };

export type ServerFrame =
  | { readonly type: "snapshot"; readonly version: Version; readonly bytes: string }
  | { readonly type: "changes"; readonly changes: readonly WireChange[] }
  | { readonly type: "synced" }
  | { readonly type: "acked"; readonly id: number; readonly seq: number }
  | {
      readonly type: "refused";
      readonly id: number;
      readonly code: "INVALID_CHANGE" | "TOO_EARLY" | "TOO_LARGE" | "STORE_UNAVAILABLE";
    }
  | { readonly type: "cursor"; readonly actor: Actor; readonly x: number; readonly y: number };

export interface WireChange {
  readonly actor: Actor;
  readonly seq: number;
  /** base64 */
  readonly bytes: string;
}

/**
 * One of several servers on one PostgreSQL. It keeps the changes in the table `operations`, one row each:
 * `document text, position bigint, actor text, seq integer, bytes bytea, hash bytea`, and what else you
 * like. A row is never altered; compaction removes some. `hash` is over the row and the hash before it.
 */
export interface Server {
  /** `ws://127.0.0.1:<port>`: it takes connections by then. */
  address(): Promise<string>;

  /**
   * Puts what all clients must have into a snapshot and removes the rows that are in it; what pg_cron, or
   * any other job, calls. Clients go on meanwhile. The state is what it was.
   * @returns how many rows it removed @throws `STORE_UNAVAILABLE`
   */
  compact(document: DocumentId): Promise<number>;

  /**
   * Whether the document's rows are those that were written: none altered, removed or swapped since.
   * @returns the first position that isn't, or null @throws `STORE_UNAVAILABLE`
   */
  verifyLog(document: DocumentId): Promise<number | null>;

  /** Says goodbye: what was acknowledged is stored, connections are closed with code 1001. */
  close(): Promise<void>;
}

export interface ReplicaConfig {
  readonly role: "replica";
  /** Unique among the nodes. */
  readonly name: string;
  readonly actor: Actor;
  /** The only one who may issue money, in every document. */
  readonly treasurer: Actor;
}

export interface ServerConfig {
  readonly role: "server";
  readonly name: string;
  readonly treasurer: Actor;
  /** `postgres://…`, this node's own address. */
  readonly postgres: string;
  /** Of the tokens. */
  readonly secret: string;
  /**
   * The longest that a `push`, a `hello` or a call may wait for PostgreSQL, in milliseconds. What has no
   * answer by then is refused with `STORE_UNAVAILABLE`; whether it is stored is then unknown, and the
   * client sends it again. A `hello` without an answer: the server closes the connection with 1013.
   */
  readonly requestBudgetMs: number;
  readonly limits: {
    /** The most that one change may have, in bytes. */
    readonly changeBytes: number;
    /** The most that one frame of a client's may have, in bytes. */
    readonly frameBytes: number;
    /**
     * The most that may wait for one client that doesn't read, in bytes: with more, the server closes its
     * connection with 1013, and it comes back with a `hello`. What answers a `hello` counts as well; a
     * snapshot alone may be larger. Who is told only as fast as they read has nothing waiting, and may stay.
     */
    readonly backlogBytes: number;
  };
}

export type NodeConfig = ReplicaConfig | ServerConfig;

export interface Submission {
  /** Brings an empty database to what servers need; called again, it changes nothing. */
  migrate(url: string): Promise<void>;
  /** A {@link Replica} or a {@link Server}, as `config.role` says. */
  createNode(config: NodeConfig): Promise<Replica | Server>;
}
