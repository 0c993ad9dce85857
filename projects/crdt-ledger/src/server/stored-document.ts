/** One document on this server: what decides whether a change is sound, and puts it into the log. */
import type { Actor, Change, DocumentId, Replica } from "../../contract.ts";
import { LedgerError } from "../errors.ts";
import { startReplica } from "../replica/replica.ts";
import { unavailable, unlessAborted } from "./database.ts";
import type { Head, Log } from "./log.ts";

/** Why changes were refused. */
export type Refusal = "INVALID_CHANGE" | "TOO_EARLY";

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
  #replica: Replica;
  #head = EMPTY;
  #turn: Promise<unknown> = Promise.resolve();
  /** Those that have come and are yet to be stored. */
  #pushes: Push[] = [];

  constructor(log: Log, document: DocumentId, treasurer: Actor) {
    this.#log = log;
    this.#document = document;
    this.#treasurer = treasurer;
    this.#replica = this.#emptyReplica();
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
    this.#inTurn(signal, () => this.#storePushes()).catch(push.reject);
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
        version: await this.#replica.version(this.#document),
        bytes: await this.#replica.save(this.#document),
      });
    });
  }

  /** Whoever's turn it is takes along what has come meanwhile: many changes cost one commit, as one does. */
  async #storePushes(): Promise<void> {
    let left: readonly Push[] = this.#pushes.splice(0, MOST_PUSHES);
    // Whoever has less time is answered by then, whatever comes of it.
    const signal = left.at(-1)?.signal;
    if (!signal) return;
    try {
      await this.#catchUp(signal);
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
    const fresh: Change[] = [];
    let early: Push | undefined;
    let seen = 0;
    for (const push of pushes) {
      // What is sent twice is held against what is stored; so that has to be stored first.
      const [{ actor, seq }] = push.changes;
      if (fresh.some((change) => change.actor === actor && change.seq >= seq)) break;
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
      if (taken.length > 0) push.sound();
      sound.push(push);
      fresh.push(...taken);
    }
    if (fresh.length > 0) await this.#append(signal, fresh);
    for (const push of sound) push.resolve(null);
    const left = pushes.slice(seen);
    if (early) {
      // The replica keeps what came too early, and would have it with what comes next: the log wouldn't.
      this.#forget();
      early.resolve("TOO_EARLY");
      if (left.length > 0) await this.#catchUp(signal);
    }
    return left;
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
    const known = await this.#known(actor);
    if (from > known + 1) return "TOO_EARLY";
    const again = changes.slice(0, known + 1 - from);
    if (!(await this.#areStored(signal, again))) return "INVALID_CHANGE";
    const fresh = changes.slice(again.length);
    if (fresh.length === 0) return fresh;
    try {
      await this.#replica.receive(this.#document, fresh);
    } catch (error) {
      if (error instanceof LedgerError && error.code === "INVALID_CHANGE") return error.code;
      throw error;
    }
    return (await this.#known(actor)) < to ? "WAITS" : fresh;
  }

  async #append(signal: AbortSignal, changes: readonly Change[]): Promise<void> {
    for (;;) {
      if (this.#head.position === 0) await this.#log.create(signal, this.#document);
      const head = await this.#log.append(signal, this.#document, this.#head, changes);
      if (head) {
        this.#head = head;
        return;
      }
      // Another server was first. What it stored was sound without these, and these without it.
      await this.#catchUp(signal);
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

  async #catchUp(signal: AbortSignal): Promise<void> {
    for (let more = true; more; ) {
      const page = await this.#log.after(signal, this.#document, this.#head.position, {});
      const { snapshot, rows } = page;
      try {
        if (snapshot) await this.#replica.load(this.#document, snapshot.bytes);
        if (rows.length > 0) await this.#replica.receive(this.#document, rows);
      } catch (cause) {
        const after = this.#head.position;
        this.#forget();
        throw new LedgerError(
          "STORE_UNAVAILABLE",
          `The log of ${this.#document} can't be read after position ${after}: was a row altered? See verifyLog().`,
          { cause },
        );
      }
      this.#head = snapshot ?? rows.at(-1) ?? this.#head;
      more = page.more;
    }
  }

  async #known(actor: Actor): Promise<number> {
    return (await this.#replica.version(this.#document))[actor] ?? 0;
  }

  #forget(): void {
    this.#replica = this.#emptyReplica();
    this.#head = EMPTY;
  }

  #emptyReplica(): Replica {
    // It never edits, so that nothing bears this name.
    const actor = "server";
    return startReplica({ role: "replica", name: actor, actor, treasurer: this.#treasurer });
  }

  /** Runs one work after the other, in the order of the calls; none of them begins too late. */
  async #inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = this.#turn;
    const over = Promise.withResolvers<void>();
    this.#turn = turn.then(() => over.promise);
    try {
      await unlessAborted(signal, turn).catch((cause) => {
        throw unavailable(cause);
      });
      return await work();
    } finally {
      over.resolve();
    }
  }
}
