/** One actor's copy of one document: Automerge's, and what each change in it had seen. */
import * as A from "@automerge/automerge";
import type { Actor, Change, DocumentId, Edit, Version, View } from "../../contract.ts";
import { audit, isIssuing } from "./audit.ts";
import {
  type Decoded,
  decode,
  type Genesis,
  genesisOf,
  invalidChange,
  type Origin,
  partsOf,
  type Root,
  read,
  tagOf,
  type Writer,
  writerOf,
} from "./codec.ts";
import { Editing } from "./editing.ts";
import { perform } from "./edits.ts";
import { type Run, takeFrom } from "./elements.ts";
import { invalidEdit, LedgerError, Unsound } from "./errors.ts";
import { type Known, Past } from "./past.ts";
import { nameIn, State } from "./state.ts";
import { type PutBack, takeBack, type Undoable } from "./undo.ts";
import { edits as editsSchema, isEntry } from "./values.ts";
import { shapesIn } from "./view.ts";

export interface DocumentConfig {
  readonly document: DocumentId;
  readonly actor: Actor;
  readonly treasurer: Actor;
}

export class BoardDocument {
  readonly #config: DocumentConfig;
  readonly #genesis: Genesis;
  readonly #writer: Writer;
  readonly #state: State;
  readonly #past: Past;
  readonly #undoable: Undoable[] = [];
  readonly #putBack: PutBack = new Map();
  #doc: A.Doc<Root>;
  #waiting: readonly Decoded[] = [];
  /** Of the places, from the lowest to the highest; undefined: to be read again. */
  #names: string[] | undefined;

  constructor(config: DocumentConfig) {
    const { document, actor, treasurer } = config;
    this.#config = config;
    this.#genesis = genesisOf(document);
    this.#writer = writerOf(document, actor);
    this.#state = new State(treasurer, this.#genesis);
    this.#past = new Past(this.#genesis);
    [this.#doc] = A.applyChanges(A.init<Root>({ actor: this.#writer }), [this.#genesis.bytes]);
  }

  view(): View {
    const { tree, ledger } = this.#state;
    return { shapes: shapesIn(this.#doc, tree, this.#heights()), balances: ledger.balances() };
  }

  escrow(account: string): number {
    return this.#state.ledger.escrow(this.#config.actor, account);
  }

  version(): Version {
    return this.#past.version();
  }

  edit(edits: readonly Edit[]): Change {
    const { error } = editsSchema.safeParse(edits);
    if (error) throw invalidEdit(error.message);
    const [change, inverses] = this.#commit((editing) =>
      edits.flatMap((edit) => perform(editing, edit)),
    );
    const isOfBoard = edits.some((edit) => !isEntry(edit));
    if (isOfBoard) this.#undoable.push({ tag: tagOf(change), inverses });
    return change;
  }

  undo(): Change | null {
    const last = this.#undoable.at(-1);
    if (!last) return null;
    const [change] = this.#commit((editing) => takeBack(editing, last, this.#putBack));
    this.#undoable.pop();
    return change;
  }

  receive(changes: readonly Change[]): void {
    const { document, treasurer } = this.#config;
    const came = changes.map((change) => decode(document, change));
    for (const { change, ops } of came) {
      // Nothing that it could have to wait for would give it the right to.
      const isForged = change.actor !== treasurer && isIssuing(ops, this.#genesis);
      if (isForged) throw invalidChange(change, "its actor is not the treasurer");
    }
    this.#receive(came);
  }

  changesSince(version: Version): Change[] {
    return this.#past.since(version);
  }

  save(): Uint8Array {
    return A.save(this.#doc);
  }

  load(piece: Uint8Array): void {
    const { document } = this.#config;
    const saved = changesIn(piece).filter((bytes) => !isSame(bytes, this.#genesis.bytes));
    const came = saved.map((bytes) => read(document, bytes));
    if (!came.every((one) => one !== undefined)) throw notSaved();
    this.#receive(came, true);
  }

  /** @param whole whether they are a document: all are there that one of them had seen */
  #receive(came: readonly Decoded[], whole = false): void {
    const before = { waiting: this.#waiting, length: this.#past.length };
    const fresh = came.filter((one) => !this.#isKnown(one));
    const hashes = new Set(fresh.map(({ hash }) => hash));
    let waiting = [...this.#waiting.filter(({ hash }) => !hashes.has(hash)), ...fresh];
    try {
      for (let ready = true; ready; ) {
        ready = false;
        const early: Decoded[] = [];
        for (const one of waiting) {
          if (!this.#past.isReady(one)) early.push(one);
          else if (this.#take(one, whole)) ready = true;
          // Who sent one that has waited is not who sent these.
          else if (hashes.has(one.hash)) throw invalidChange(one.change, "nobody makes such a one");
        }
        waiting = early;
      }
      if (whole && waiting.some(({ hash }) => hashes.has(hash))) throw notSaved();
      const taken = this.#past.after(before.length).map(({ change }) => change.bytes);
      if (taken.length > 0) [this.#doc] = A.applyChanges(this.#doc, taken);
      if (taken.length > 0) this.#names = undefined;
      this.#waiting = waiting;
      this.#state.keep();
    } catch (error) {
      this.#state.backTo(0);
      this.#past.truncate(before.length);
      this.#waiting = before.waiting;
      throw error;
    }
  }

  /** Does something as one change, or, where it fails, nothing. */
  #commit<T>(work: (editing: Editing) => T): [Change, T] {
    const { document, actor } = this.#config;
    const origin = { actor, seq: (this.version()[actor] ?? 0) + 1 };
    let done: { readonly editing: Editing; readonly result: T } | undefined;
    let doc: A.Doc<Root>;
    try {
      // A clock would say when it was made, and nobody is to go by that.
      doc = A.change(this.#doc, { time: undefined }, (root) => {
        const heights = this.#heights();
        const editing = new Editing(root, this.#state, origin, this.#writer, heights);
        done = { editing, result: work(editing) };
      });
    } catch (error) {
      this.#names = undefined;
      throw error;
    } finally {
      // What it comes to is taken from the change itself, as others take it.
      this.#state.backTo(0);
    }
    this.#doc = doc === this.#doc ? A.emptyChange(doc, { time: undefined }) : doc;
    const bytes = A.getLastLocalChange(this.#doc) as Uint8Array;
    const decoded = decode(document, { ...origin, bytes });
    if (!done || !this.#take(decoded, false)) throw new Error(`${tagOf(origin)} is unsound.`);
    this.#state.keep();
    this.#name(decoded, done.editing);
    return [decoded.change, done.result];
  }

  /** Tells which characters were put in or taken out, now that they have names. */
  #name({ startOp, ops }: Decoded, { characters }: Editing): void {
    const { elements } = this.#state;
    const named = ops.flatMap(({ obj, action, elemId = "", at, count }): Run[] => {
      if (obj === this.#genesis.moves || !elements.has(obj)) return [];
      const [from, writer] = action === "del" ? partsOf(elemId) : [startOp + at, this.#writer];
      return [{ writer, from, count }];
    });
    for (const { count, note } of characters) note(takeFrom(named, count));
  }

  /** @returns whether it is sound; nothing is changed where it isn't */
  #take(one: Decoded, loaded: boolean): boolean {
    const mark = this.#state.mark();
    try {
      if (this.#isKnown(one)) return true;
      const { change, startOp, ops } = one;
      const known: Known = this.#past.knownAs(one, loaded);
      const origin: Origin = { actor: change.actor, seq: change.seq };
      const sees = ({ actor, seq }: Origin) => seq <= (known.seen.get(actor) ?? 0);
      const writer = writerOf(this.#config.document, change.actor);
      audit(this.#state, this.#genesis, { origin, writer, startOp, ops, sees });
      this.#past.add(known);
      return true;
    } catch (error) {
      this.#state.backTo(mark);
      if (error instanceof Unsound || error instanceof LedgerError) return false;
      throw error;
    }
  }

  /** @throws LedgerError `INVALID_CHANGE` where it was another one when it came before */
  #isKnown({ change, hash }: Decoded): boolean {
    const known = this.#past.at(change);
    if (known && known.hash !== hash) {
      throw invalidChange(change, "it was another one when it came before");
    }
    return known !== undefined;
  }

  #heights(): string[] {
    this.#names ??= this.#doc.moves.map((element) => nameIn(String(element)));
    return this.#names;
  }
}

function changesIn(piece: Uint8Array): Uint8Array[] {
  try {
    const doc = A.load<Root>(piece);
    const changes = A.getAllChanges(doc);
    A.free(doc);
    if (changes.length > 0) return changes;
  } catch (cause) {
    throw notSaved(cause);
  }
  throw notSaved();
}

const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

function notSaved(cause?: unknown): LedgerError {
  return new LedgerError("INVALID_CHANGE", "No replica saved this. Ask for it again.", { cause });
}
