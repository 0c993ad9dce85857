/** One actor's copy of one document: what is done here, and what comes. */
import type { OpId } from "loro-crdt";
import type { Actor, Change, Edit, Version, View } from "../../contract.ts";
import { LedgerError } from "../errors.ts";
import { assertEdits, type Entry, isEntry } from "../model.ts";
import { ledgerOf } from "./audit.ts";
import { type CharacterId, takenOut } from "./characters.ts";
import { Contents, type DocumentConfig, isSame, type Mark } from "./contents.ts";
import { assertPossible, write } from "./edits.ts";
import type { Written } from "./ledger.ts";
import { type Inverse, takeBack, type Undoable } from "./undo.ts";
import { invalidChange, type Waiting, waitingFor } from "./waiting.ts";

interface Before extends Mark {
  readonly waiting: Set<Waiting>;
}

export class LedgerDocument {
  readonly #config: DocumentConfig;
  readonly #contents: Contents;
  readonly #undoable: Undoable[] = [];
  readonly #putBack = new Map<number, CharacterId>();
  /** What came before something that it had seen. */
  #waiting: Set<Waiting> = new Set();

  constructor(config: DocumentConfig) {
    this.#config = config;
    this.#contents = new Contents(config);
  }

  view(): View {
    return { shapes: this.#contents.board.view(), balances: this.#contents.ledger.balances() };
  }

  escrow(account: string): number {
    return this.#contents.ledger.escrow(this.#config.actor, account);
  }

  version(): Version {
    return Object.fromEntries(this.#contents.version);
  }

  edit(edits: readonly Edit[]): Change {
    assertEdits(edits);
    const inverses: Inverse[] = [];
    const [first] = edits;
    // As long as nothing is written, nothing has to be taken back, which takes as long as the history is.
    if (first) this.#assertPossible(first);
    return this.#commit((tag) => {
      for (const [i, edit] of edits.entries()) {
        if (i > 0) this.#assertPossible(edit);
        if (isEntry(edit)) {
          this.#contents.ledger.write(this.#written(edit));
          this.#contents.doc.getList(ledgerOf(this.#config.actor)).push({ ...edit });
        } else {
          const nextCounter = () => this.#contents.nextCounter();
          const taken = (from: number) =>
            takenOut(this.#contents.doc, { peer: this.#contents.peer, from });
          write({ board: this.#contents.board, tag, inverses, nextCounter, taken }, edit);
        }
      }
      return () => {
        for (const { kind, shape } of inverses) if (kind === "added") this.#contents.made(shape);
        if (inverses.length > 0) this.#undoable.push({ tag, inverses });
      };
    });
  }

  undo(): Change | null {
    const undoable = this.#undoable.at(-1);
    if (!undoable) return null;
    return this.#commit((tag) => {
      const undoing = {
        doc: this.#contents.doc,
        board: this.#contents.board,
        peer: this.#contents.peer,
        tag,
        putBack: this.#putBack,
        nextCounter: () => this.#contents.nextCounter(),
      };
      takeBack(undoing, undoable);
      return () => this.#undoable.pop();
    });
  }

  /** How far an actor's changes are there. */
  seqOf(actor: Actor): number {
    return this.#contents.version.get(actor) ?? 0;
  }

  receive(changes: readonly Change[]): void {
    // Taken alone, it takes effect or is refused.
    const before = changes.length > 1 ? this.#mark() : null;
    this.take(changes, !before);
    if (!before || this.#contents.isApplied()) return;
    // Which one it is shows where each takes effect by itself.
    this.#backTo(before);
    this.take(changes, true);
  }

  /**
   * What {@link receive} does, for whoever takes more before it matters: whether all of it can take effect
   * is yet to be asked, unless each has to `atOnce`.
   * @throws `INVALID_CHANGE`
   */
  take(changes: readonly Change[], atOnce = false): void {
    const came = changes.map((change) => waitingFor(this.#config.document, change));
    for (const { change } of came) this.#contents.assertSame(change);
    // One alone is taken whole, or leaves nothing behind.
    const before = this.#waiting.size + came.length > 1 ? this.#mark() : null;
    for (const waiting of this.#waiting) {
      if (came.some(({ change }) => isSame(change, waiting.change))) this.#waiting.delete(waiting);
    }
    for (const one of came) this.#waiting.add(one);
    try {
      for (let next = this.#nextReady(); next; next = this.#nextReady()) {
        const { change } = next;
        this.#waiting.delete(next);
        if (this.#contents.has(change)) {
          if (came.includes(next)) this.#contents.assertSame(change);
          continue;
        }
        const sound = this.#contents.merge(next, atOnce);
        // Whoever sent this is not who sent one that was waiting.
        if (!sound && came.includes(next))
          throw invalidChange(change, "no replica makes such a one");
      }
    } catch (error) {
      if (before) this.#backTo(before);
      throw error;
    }
  }

  /** What waits for others comes again by itself, or not at all. */
  forgetWaiting(): void {
    this.#waiting = new Set();
  }

  /** Of how many changes something has to be done yet before somebody looks. */
  get unmerged(): number {
    return this.#contents.unmerged;
  }

  mergeSome(): void {
    this.#contents.mergeSome();
  }

  /** Keeps what changes come to, and not them: {@link changesSince} has none of those that are here by now. */
  forgetChanges(): void {
    this.#contents.changes.clear();
  }

  /** Whether what was taken can take effect. Where it can't, this document is of no more use. */
  takesEffect(): boolean {
    return this.#contents.takesEffect();
  }

  changesSince(version: Version): Change[] {
    const found = this.#contents.changes.since(version, this.#contents.version);
    if (!found) {
      throw new LedgerError(
        "INVALID_CHANGE",
        "Some of these changes came with load(), and are not there one by one. Begin with save().",
      );
    }
    return found;
  }

  save(): Uint8Array {
    return this.#contents.doc.export({ mode: "snapshot" });
  }

  load(saved: Uint8Array): void {
    const before = this.#contents.mark();
    try {
      const { pending } = this.#contents.doc.import(saved);
      if (pending) throw new Error("it lacks what came before");
      this.#contents.readAll();
    } catch (cause) {
      this.#contents.backTo(before);
      throw new LedgerError("INVALID_CHANGE", `No replica saved this (${cause}).`, { cause });
    }
    this.receive([]);
  }

  /** It is of no more use then. */
  close(): void {
    this.#contents.close();
  }

  /** Does something as one change, or, where it fails, nothing. */
  #commit(work: (tag: string) => () => void): Change {
    const { actor } = this.#config;
    const { peer } = this.#contents;
    const seq = this.seqOf(actor) + 1;
    const before = this.#contents.mark();
    const from = this.#contents.nextCounter();
    try {
      this.#contents.doc.getMap("log").set(actor, seq);
      const done = work(`${actor}:${seq}`);
      this.#contents.doc.commit();
      done();
    } catch (error) {
      this.#contents.backTo(before);
      throw error;
    }
    const change = { actor, seq, bytes: this.#contents.encode({ actor, seq }, from) };
    this.#contents.add(change, { peer, from, to: this.#contents.nextCounter() });
    return change;
  }

  /** @throws `INVALID_EDIT`, `INSUFFICIENT_ESCROW`, `NOT_TREASURER` */
  #assertPossible(edit: Edit): void {
    if (!isEntry(edit)) {
      assertPossible(this.#contents.board, edit);
      return;
    }
    const may = this.#contents.ledger.mayWrite(this.#written(edit));
    if (may === "treasurer") {
      const { treasurer } = this.#config;
      throw new LedgerError("NOT_TREASURER", `Only ${treasurer} may issue money.`);
    }
    if (may === "escrow") {
      throw new LedgerError(
        "INSUFFICIENT_ESCROW",
        "There is no right to spend so much here. Whoever has it may lend it; it takes effect when it comes.",
      );
    }
  }

  /** As this replica's next operation. */
  #written(entry: Entry): Written {
    const counter = this.#contents.nextCounter();
    return { entry, origin: { actor: this.#config.actor, counter } };
  }

  #nextReady(): Waiting | undefined {
    const isThere = ({ peer, counter }: OpId) => counter < (this.#contents.ends.get(peer) ?? 0);
    for (const waiting of this.#waiting) {
      const { actor, seq } = waiting.change;
      if (seq <= this.seqOf(actor) + 1 && waiting.seen.every(isThere)) return waiting;
    }
    return undefined;
  }

  #mark(): Before {
    return { waiting: new Set(this.#waiting), ...this.#contents.mark() };
  }

  #backTo(before: Before): void {
    this.#waiting = before.waiting;
    this.#contents.unmerge(before);
  }
}
