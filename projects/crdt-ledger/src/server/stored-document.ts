/** One document on this server: what decides whether a change is sound, and puts it into the log. */
import type { Actor, Change, DocumentId } from "../../contract.ts";
import { LedgerError } from "../errors.ts";
import { LedgerDocument } from "../replica/document.ts";
import { unavailable, unlessAborted } from "./database.ts";
import type { Head, Log, Row } from "./log.ts";

/** Why changes were refused. */
export type Refusal = "INVALID_CHANGE" | "TOO_EARLY";

/** Who hands on what is stored. */
export interface Audience {
  /** In the order of the log. */
  hand(rows: readonly Row[]): void;
  /** Something may have been stored. */
  wake(): void;
}

interface Push extends PromiseWithResolvers<Refusal | null> {
  readonly signal: AbortSignal;
  readonly changes: readonly [Change, ...Change[]];
  readonly sound: () => void;
}

/** Pushes that are stored at once, at most. */
const MOST_PUSHES = 256;
const EMPTY: Head = { position: 0, hash: Buffer.alloc(0) };

export class StoredDocument {
  readonly #log: Log;
  readonly #document: DocumentId;
  readonly #treasurer: Actor;
  /** What the log comes to, up to `#head`: the same code as on the clients, or it would decide otherwise. */
  #replica: LedgerDocument;
  #head = EMPTY;
  #audience: Audience | null = null;
  /** Up to where the log goes when what is being stored is there. */
  #expected = 0;
  #isCalled = false;
  /** How far each actor's changes were found in the log when it was read in this turn; null: it wasn't yet. */
  #found: Map<Actor, number> | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  /** Those that have come and are yet to be stored. */
  #pushes: Push[] = [];

  constructor(log: Log, document: DocumentId, treasurer: Actor) {
    this.#log = log;
    this.#document = document;
    this.#treasurer = treasurer;
    this.#replica = this.#emptyReplica();
  }

  /** Up to where the audience is handed what there is: it needn't look. */
  get expected(): number {
    return this.#expected;
  }

  tell(audience: Audience): void {
    this.#audience = audience;
  }

  /**
   * Stores an actor's changes, whose `seq` follow each other. Those that are stored already are left out.
   * @param sound called when they are found to be so, and not yet stored
   * @returns why they were refused, and nothing was stored; null when all are stored for good
   * @throws LedgerError `STORE_UNAVAILABLE`: whether they are stored is unknown
   */
  async push(
    signal: AbortSignal,
    changes: readonly [Change, ...Change[]],
    sound: () => void,
  ): Promise<Refusal | null> {
    const push: Push = { signal, changes, sound, ...Promise.withResolvers<Refusal | null>() };
    push.promise.catch(() => {});
    this.#pushes.push(push);
    this.#call();
    return await unlessAborted(signal, push.promise).catch((cause) => {
      this.#pushes = this.#pushes.filter((other) => other !== push);
      throw unavailable(cause);
    });
  }

  /** @returns how many rows were removed @throws LedgerError `STORE_UNAVAILABLE` */
  compact(signal: AbortSignal): Promise<number> {
    return this.#inTurn(signal, async () => {
      await this.#catchUp(signal);
      return this.#log.compact(signal, this.#document, {
        ...this.#head,
        version: this.#replica.version(),
        bytes: this.#replica.save(),
      });
    });
  }

  #call(): void {
    if (this.#isCalled || this.#pushes.length === 0) return;
    this.#isCalled = true;
    void this.#inTurn(null, () => this.#storePushes());
  }

  /** Whoever's turn it is takes along what has come meanwhile: many changes cost one commit, as one does. */
  async #storePushes(): Promise<void> {
    let left: readonly Push[] = this.#pushes.splice(0, MOST_PUSHES);
    this.#isCalled = false;
    this.#call();
    // Whoever has less time is answered by then, whatever comes of it.
    const signal = left.at(-1)?.signal;
    if (!signal) return;
    this.#found = null;
    try {
      if (this.#head.position === 0) await this.#catchUp(signal);
      while (left.length > 0) left = await this.#store(signal, left);
    } catch (error) {
      // The replica may have what the log hasn't.
      this.#forget();
      for (const push of left) push.reject(error);
    }
  }

  /** @returns those that were not looked at yet */
  async #store(signal: AbortSignal, pushes: readonly Push[]): Promise<readonly Push[]> {
    const sound: Push[] = [];
    const pushed: Push[] = [];
    const fresh: Change[] = [];
    const newest = new Map<Actor, number>();
    let early: Push | undefined;
    let seen = 0;
    for (const push of pushes) {
      // What is sent twice is held against what is stored; so that has to be stored first.
      const [{ actor, seq }] = push.changes;
      if ((newest.get(actor) ?? 0) >= seq) break;
      seen += 1;
      const taken = await this.#take(signal, push);
      if (taken === "WAITS") {
        early = push;
        break;
      }
      if (typeof taken === "string") {
        push.resolve(taken);
        continue;
      }
      sound.push(push);
      if (taken.length > 0) pushed.push(push);
      fresh.push(...taken);
      newest.set(actor, this.#replica.seqOf(actor));
    }
    const left = pushes.slice(seen);
    if (!this.#replica.takesEffect()) {
      await this.#storeOneByOne(signal, early ? [...sound, early] : sound);
      return left;
    }
    for (const push of pushed) push.sound();
    if (fresh.length > 0) await this.#append(signal, fresh);
    for (const push of sound) push.resolve(null);
    if (early) {
      // The replica keeps what came too early, and would have it with what comes next: the log wouldn't.
      this.#forget();
      early.resolve("TOO_EARLY");
      if (left.length > 0) await this.#catchUp(signal);
    }
    return left;
  }

  /** Together they are more than Loro can apply: which one is shows where each is by itself. */
  async #storeOneByOne(signal: AbortSignal, pushes: readonly Push[]): Promise<void> {
    this.#forget();
    await this.#catchUp(signal);
    const [only, ...others] = pushes;
    if (only && others.length === 0) only.resolve("INVALID_CHANGE");
    else for (const push of pushes) await this.#store(signal, [push]);
  }

  /**
   * @returns those of the changes that the log hasn't yet, and the replica now has; or why there are none.
   * `WAITS`: they are too early, and the replica keeps them
   */
  async #take(
    signal: AbortSignal,
    { changes }: Push,
  ): Promise<readonly Change[] | Refusal | "WAITS"> {
    const [{ actor, seq: from }] = changes;
    const to = from + changes.length - 1;
    // Who seems to be early may be so for this server only.
    if (from > this.#replica.seqOf(actor) + 1) await this.#catchUpOnce(signal);
    const known = this.#replica.seqOf(actor);
    if (from > known + 1) return "TOO_EARLY";
    const again = changes.slice(0, known + 1 - from);
    if (!(await this.#areStored(signal, again))) return "INVALID_CHANGE";
    const fresh = changes.slice(again.length);
    if (fresh.length === 0) return fresh;
    try {
      this.#replica.take(fresh);
    } catch (error) {
      if (error instanceof LedgerError && error.code === "INVALID_CHANGE") return error.code;
      throw error;
    }
    if (this.#replica.seqOf(actor) < to) await this.#catchUpOnce(signal);
    return this.#replica.seqOf(actor) < to ? "WAITS" : fresh;
  }

  async #append(signal: AbortSignal, changes: readonly Change[]): Promise<void> {
    try {
      for (;;) {
        // One may have been pushed on another server as well.
        const left = changes.filter(({ actor, seq }) => seq > (this.#found?.get(actor) ?? 0));
        if (left.length === 0) return this.#audience?.wake();
        if (this.#head.position === 0) await this.#log.create(signal, this.#document);
        this.#expected = this.#head.position + left.length;
        const rows = await this.#log.append(signal, this.#document, this.#head, left);
        if (rows) {
          this.#head = rows.at(-1) ?? this.#head;
          return this.#audience?.hand(rows);
        }
        // Another server was first. What it stored was sound without these, and these without it.
        await this.#catchUp(signal);
      }
    } catch (error) {
      // It may be stored all the same.
      this.#audience?.wake();
      throw error;
    } finally {
      this.#expected = 0;
    }
  }

  /** Whether the log has these very bytes, as far as it still has their rows. */
  async #areStored(signal: AbortSignal, changes: readonly Change[]): Promise<boolean> {
    const [first] = changes;
    if (!first) return true;
    const { actor, seq: from } = first;
    const to = from + changes.length - 1;
    const rows = await this.#log.stored(signal, this.#document, { actor, from, to });
    return rows.every(({ seq, bytes }) => bytes.equals(changes[seq - from]?.bytes ?? EMPTY.hash));
  }

  async #catchUpOnce(signal: AbortSignal): Promise<void> {
    if (!this.#found) await this.#catchUp(signal);
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    const found = this.#found ?? new Map<Actor, number>();
    this.#found = found;
    for (let more = true; more; ) {
      const page = await this.#log.after(signal, this.#document, this.#head.position, {});
      const { snapshot, rows } = page;
      try {
        if (snapshot) this.#replica.load(snapshot.bytes);
        if (rows.length > 0) this.#replica.receive(rows);
      } catch (cause) {
        const after = this.#head.position;
        this.#forget();
        throw new LedgerError(
          "STORE_UNAVAILABLE",
          `The log of ${this.#document} can't be read after position ${after}: was a row altered? See verifyLog().`,
          { cause },
        );
      }
      for (const [actor, seq] of Object.entries(snapshot?.version ?? {})) found.set(actor, seq);
      for (const { actor, seq } of rows) found.set(actor, seq);
      this.#head = snapshot ?? rows.at(-1) ?? this.#head;
      more = page.more;
    }
  }

  #forget(): void {
    this.#replica = this.#emptyReplica();
    this.#head = EMPTY;
  }

  #emptyReplica(): LedgerDocument {
    const [document, treasurer] = [this.#document, this.#treasurer];
    // It never edits, so that nothing bears this name.
    return new LedgerDocument({ document, actor: "server", treasurer });
  }

  /** Runs one work after the other, in the order of the calls; none with a signal begins too late. */
  async #inTurn<T>(signal: AbortSignal | null, work: () => Promise<T>): Promise<T> {
    const turn = this.#turn;
    const over = Promise.withResolvers<void>();
    this.#turn = turn.then(() => over.promise);
    try {
      await (signal ? unlessAborted(signal, turn) : turn).catch((cause) => {
        throw unavailable(cause);
      });
      return await work();
    } finally {
      over.resolve();
    }
  }
}
