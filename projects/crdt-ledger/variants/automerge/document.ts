/** One actor's copy of one document: Automerge's, and a judge of what comes to it. */
import * as A from "@automerge/automerge";
import type { Actor, Change, DocumentId, Edit, Version, View } from "../../contract.ts";
import { type Decoded, partsOf, type Root, tagOf, type Writer, writerOf } from "./codec.ts";
import { Editing } from "./editing.ts";
import { perform } from "./edits.ts";
import { type Run, takeFrom } from "./elements.ts";
import { invalidEdit } from "./errors.ts";
import { Judge } from "./judge.ts";
import { documentOf } from "./piece.ts";
import { nameIn } from "./state.ts";
import { type PutBack, takeBack, type Undoable } from "./undo.ts";
import { edits as editsSchema, isEntry } from "./values.ts";
import { shapesIn } from "./view.ts";

export interface DocumentConfig {
  readonly document: DocumentId;
  readonly actor: Actor;
  readonly treasurer: Actor;
}

export class BoardDocument {
  readonly #actor: Actor;
  readonly #writer: Writer;
  readonly #judge: Judge;
  readonly #undoable: Undoable[] = [];
  readonly #putBack: PutBack = new Map();
  #doc: A.Doc<Root>;
  /** Of the places, from the lowest to the highest; undefined: to be read again. */
  #names: string[] | undefined;

  constructor({ document, actor, treasurer }: DocumentConfig) {
    this.#actor = actor;
    this.#writer = writerOf(document, actor);
    this.#judge = new Judge(document, treasurer);
    this.#doc = documentOf(this.#judge.genesis, [], this.#writer);
  }

  view(): View {
    const { tree, ledger } = this.#judge.state;
    return { shapes: shapesIn(this.#doc, tree, this.#heights()), balances: ledger.balances() };
  }

  escrow(account: string): number {
    return this.#judge.state.ledger.escrow(this.#actor, account);
  }

  version(): Version {
    return this.#judge.version();
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
    this.#merge(this.#judge.receive(changes));
  }

  changesSince(version: Version): Change[] {
    return this.#judge.changesSince(version);
  }

  save(): Uint8Array {
    return A.save(this.#doc);
  }

  load(piece: Uint8Array): void {
    this.#merge(this.#judge.load(piece));
  }

  #merge(changes: Uint8Array[]): void {
    if (changes.length === 0) return;
    [this.#doc] = A.applyChanges(this.#doc, changes);
    this.#names = undefined;
  }

  /** Does something as one change, or, where it fails, nothing. */
  #commit<T>(work: (editing: Editing) => T): [Change, T] {
    const { state } = this.#judge;
    const origin = { actor: this.#actor, seq: (this.version()[this.#actor] ?? 0) + 1 };
    let done: { readonly editing: Editing; readonly result: T } | undefined;
    let doc: A.Doc<Root>;
    try {
      // A clock would say when it was made, and nobody is to go by that.
      doc = A.change(this.#doc, { time: undefined }, (root) => {
        const editing = new Editing(root, state, origin, this.#writer, this.#heights());
        done = { editing, result: work(editing) };
      });
    } catch (error) {
      this.#names = undefined;
      throw error;
    } finally {
      // What it comes to is taken from the change itself, as others take it.
      state.backTo(0);
    }
    if (!done) throw new Error("Automerge has not called back.");
    this.#doc = doc === this.#doc ? A.emptyChange(doc, { time: undefined }) : doc;
    const bytes = A.getLastLocalChange(this.#doc) as Uint8Array;
    const decoded = this.#judge.takeOwn(bytes, origin);
    this.#name(decoded, done.editing);
    return [decoded.change, done.result];
  }

  /** Tells which characters were put in or taken out, now that they have names. */
  #name({ startOp, ops }: Decoded, { characters }: Editing): void {
    const { state, genesis } = this.#judge;
    const named = ops.flatMap(({ obj, action, elemId = "", at, count }): Run[] => {
      if (obj === genesis.moves || !state.elements.has(obj)) return [];
      const [from, writer] = action === "del" ? partsOf(elemId) : [startOp + at, this.#writer];
      return [{ writer, from, count }];
    });
    for (const { count, note } of characters) note(takeFrom(named, count));
  }

  #heights(): string[] {
    this.#names ??= this.#doc.moves.map((element) => nameIn(String(element)));
    return this.#names;
  }
}
