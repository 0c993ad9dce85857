/** What a document's log comes to, as far as this server has read it: it decides whether a change is sound. */
import type { Actor, Change, DocumentId } from "../../contract.ts";
import { LedgerError } from "../errors.ts";
import { LedgerDocument } from "../replica/document.ts";
import type { Head, Log, Row, Snapshot } from "./log.ts";
import { makeRoom } from "./loro-memory.ts";

/** Why changes were refused. */
export type Refusal = "INVALID_CHANGE" | "TOO_EARLY";
/** An actor's, whose `seq` follow each other. */
export type Run = readonly [Change, ...Change[]];
/** Those that the log hasn't yet and the mirror now has; or why there are none. */
export type Verdict = readonly Change[] | Refusal;

const EMPTY: Head = { position: 0, hash: Buffer.alloc(0) };

export class Mirror {
  readonly #log: Log;
  readonly #document: DocumentId;
  readonly #treasurer: Actor;
  /** The same code as on the clients, or it would decide otherwise. */
  #replica: LedgerDocument;
  #head = EMPTY;
  /** How far each actor's changes are in the log, up to `#head`. The replica may have more: what is to be stored. */
  #stored = new Map<Actor, number>();
  #isSpoilt = false;

  constructor(log: Log, document: DocumentId, treasurer: Actor) {
    this.#log = log;
    this.#document = document;
    this.#treasurer = treasurer;
    this.#replica = this.#emptyReplica();
  }

  /** Up to where it has read the log. */
  get head(): Head {
    return this.#head;
  }

  /** Of the log, where nothing is here that is yet to be stored. */
  snapshot(): Snapshot {
    return { ...this.#head, version: this.#replica.version(), bytes: this.#replica.save() };
  }

  /** How far an actor's changes are here. */
  seqOf(actor: Actor): number {
    return this.#replica.seqOf(actor);
  }

  /** Those that were not found in the log. */
  unstored(changes: readonly Change[]): readonly Change[] {
    return changes.filter(({ actor, seq }) => seq > (this.#stored.get(actor) ?? 0));
  }

  /** Whether it has the beginning of a run that was too early as a whole: then it is to {@link forget}. */
  get isSpoilt(): boolean {
    return this.#isSpoilt;
  }

  /** Whether what was taken can take effect. Where it can't, there is one way: {@link forget}. */
  takesEffect(): boolean {
    makeRoom();
    return this.#replica.takesEffect();
  }

  /** Changes that are yet to be merged, for whoever will need what they come to. */
  get unmerged(): number {
    return this.#replica.unmerged;
  }

  /** For moments in which nobody waits for anything. */
  mergeSome(): void {
    makeRoom();
    this.#replica.mergeSome();
  }

  /**
   * @param catchUp reads what is new in the log
   * @throws LedgerError `STORE_UNAVAILABLE`
   */
  async take(signal: AbortSignal, changes: Run, catchUp: () => Promise<void>): Promise<Verdict> {
    const [{ actor, seq: from }] = changes;
    // Who seems to be early may be so for this server only.
    if (from > this.seqOf(actor) + 1) await catchUp();
    const known = this.seqOf(actor);
    if (from > known + 1) return "TOO_EARLY";
    const again = changes.slice(0, known + 1 - from);
    if (!(await this.#areStored(signal, again))) return "INVALID_CHANGE";
    const fresh = changes.slice(again.length);
    const verdict = this.#take(fresh);
    if (verdict !== "TOO_EARLY") return verdict;
    await catchUp();
    return this.#take(fresh);
  }

  /** What was stored is in the log. */
  stored(rows: readonly Row[]): void {
    this.#read(rows.at(-1) ?? this.#head, rows);
  }

  /** @throws LedgerError `STORE_UNAVAILABLE` */
  async catchUp(signal: AbortSignal): Promise<void> {
    for (let more = true; more; ) {
      const page = await this.#log.after(signal, this.#document, this.#head.position, {});
      const { snapshot, rows } = page;
      try {
        if (snapshot) this.#replica.load(snapshot.bytes);
        if (rows.length > 0) this.#replica.receive(rows);
      } catch (cause) {
        const after = this.#head.position;
        this.forget();
        throw new LedgerError(
          "STORE_UNAVAILABLE",
          `The log of ${this.#document} can't be read after position ${after}: was a row altered? See verifyLog().`,
          { cause },
        );
      }
      for (const [actor, seq] of Object.entries(snapshot?.version ?? {})) {
        this.#stored.set(actor, seq);
      }
      this.#read(snapshot ?? rows.at(-1) ?? this.#head, rows);
      more = page.more;
    }
  }

  /** Begins anew: what was taken and isn't stored is to be gone. */
  forget(): void {
    this.#replica.close();
    this.#replica = this.#emptyReplica();
    this.#head = EMPTY;
    this.#stored = new Map();
    this.#isSpoilt = false;
  }

  #read(head: Head, rows: readonly Row[]): void {
    this.#head = head;
    for (const { actor, seq } of rows) this.#stored.set(actor, seq);
    // The log has them.
    this.#replica.forgetChanges();
  }

  #take(changes: readonly Change[]): Verdict {
    const [first] = changes;
    const last = changes.at(-1);
    if (!first || !last) return [];
    try {
      this.#replica.take(changes);
    } catch (error) {
      if (error instanceof LedgerError && error.code === "INVALID_CHANGE") return error.code;
      throw error;
    }
    this.#isSpoilt = false;
    if (this.seqOf(first.actor) >= last.seq) return changes;
    // The replica would take what it keeps of them when the rest comes: the log wouldn't.
    this.#replica.forgetWaiting();
    this.#isSpoilt = this.seqOf(first.actor) >= first.seq;
    return "TOO_EARLY";
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

  #emptyReplica(): LedgerDocument {
    const [document, treasurer] = [this.#document, this.#treasurer];
    // It never edits, so that nothing bears this name.
    return new LedgerDocument({ document, actor: "server", treasurer });
  }
}
