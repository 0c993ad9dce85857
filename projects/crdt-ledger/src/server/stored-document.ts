/** One document on this server: what decides whether a change is sound, and puts it into the log. */
import type { Actor, Change, DocumentId, Replica } from "../../contract.ts";
import { LedgerError } from "../errors.ts";
import { startReplica } from "../replica/replica.ts";
import { unavailable, unlessAborted } from "./database.ts";
import type { Head, Log } from "./log.ts";

/** Why changes were refused. */
export type Refusal = "INVALID_CHANGE" | "TOO_EARLY";

const EMPTY: Head = { position: 0, hash: Buffer.alloc(0) };

export class StoredDocument {
  readonly #log: Log;
  readonly #document: DocumentId;
  readonly #treasurer: Actor;
  /** What the log comes to, up to `#head`: the same code as on the clients, or it would decide otherwise. */
  #replica: Replica;
  #head = EMPTY;
  #turn: Promise<unknown> = Promise.resolve();

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
  push(
    signal: AbortSignal,
    changes: readonly [Change, ...Change[]],
    sound: () => void,
  ): Promise<Refusal | null> {
    return this.#inTurn(signal, async () => {
      await this.#catchUp(signal);
      const [{ actor, seq: from }] = changes;
      const to = from + changes.length - 1;
      const known = await this.#known(actor);
      if (from > known + 1) return "TOO_EARLY";
      if (!(await this.#areStored(signal, changes.slice(0, known + 1 - from)))) {
        return "INVALID_CHANGE";
      }
      const fresh = changes.slice(Math.max(0, known + 1 - from));
      if (fresh.length === 0) return null;
      try {
        await this.#replica.receive(this.#document, fresh);
      } catch (error) {
        if (error instanceof LedgerError && error.code === "INVALID_CHANGE") return error.code;
        throw error;
      }
      // From here on the replica has what the log may not have: whatever goes wrong, it begins anew.
      if ((await this.#known(actor)) < to) {
        this.#forget();
        return "TOO_EARLY";
      }
      sound();
      await this.#append(signal, fresh);
      return null;
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

  async #append(signal: AbortSignal, changes: readonly Change[]): Promise<void> {
    try {
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
    } catch (error) {
      this.#forget();
      throw error;
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
