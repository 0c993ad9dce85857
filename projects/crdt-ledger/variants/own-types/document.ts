/** One actor's copy of one document: all changes that are here, and what they come to. */
import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import type { Actor, Change, DocumentId, Edit, Version, View } from "../../contract.ts";
import { LedgerError } from "../../src/errors.ts";
import { assertEdits } from "../../src/model.ts";
import { type Inverse, perform, type Writing } from "./edits.ts";
import { type Content, decode, encode, invalidChange, type Operation } from "./operations.ts";
import { State, tagOf, type Writer } from "./state.ts";
import { Tree } from "./tree.ts";
import { type PutBack, takeBack, type Undoable } from "./undo.ts";
import { Unsound } from "./unsound.ts";

export interface DocumentConfig {
  readonly document: DocumentId;
  readonly actor: Actor;
  readonly treasurer: Actor;
}

interface Known {
  readonly change: Change;
  readonly content: Content;
  /** It came within a whole document. */
  readonly loaded?: boolean;
}

const saved = z.array(z.tuple([z.string(), z.int().positive(), z.base64()]));

export class OwnDocument {
  readonly #config: DocumentConfig;
  /** Each is after those that it had seen. */
  #history: Known[] = [];
  #waiting: readonly Known[] = [];
  readonly #undoable: Undoable[] = [];
  readonly #putBack: PutBack = new Map();
  // What follows is made of the history.
  #state: State;
  #known = new Map<string, Known>();
  #version = new Map<Actor, number>();
  /** What each actor's last change had seen. */
  #seen = new Map<Actor, Version>();
  /** Of each actor's changes, in order. */
  #lamports = new Map<Actor, number[]>();

  constructor(config: DocumentConfig) {
    this.#config = config;
    this.#state = new State(config.treasurer);
  }

  view(): View {
    return { shapes: new Tree(this.#state).view(), balances: this.#state.ledger.balances() };
  }

  escrow(account: string): number {
    return this.#state.ledger.escrow(this.#config.actor, account);
  }

  version(): Version {
    return Object.fromEntries(this.#version);
  }

  edit(edits: readonly Edit[]): Change {
    assertEdits(edits);
    const inverses: Inverse[] = [];
    const change = this.#commit(inverses, (writing) => {
      for (const edit of edits) perform(writing, edit);
    });
    if (inverses.length > 0) this.#undoable.push({ tag: tagOf(change), inverses });
    return change;
  }

  undo(): Change | null {
    const last = this.#undoable.at(-1);
    if (!last) return null;
    const change = this.#commit([], (writing) => takeBack(writing, last, this.#putBack));
    this.#undoable.pop();
    return change;
  }

  receive(changes: readonly Change[]): void {
    const { document } = this.#config;
    const came = changes.map((change) => ({ change, content: decode(document, change) }));
    const before = { length: this.#history.length, waiting: this.#waiting };
    const fresh = came.filter(({ change }) => !this.#isKnown(change));
    const isAgain = ({ change }: Known) => fresh.some((one) => isSame(one.change, change));
    this.#waiting = [...this.#waiting.filter((one) => !isAgain(one)), ...fresh];
    try {
      for (let next = this.#nextReady(); next; next = this.#nextReady()) {
        this.#waiting = this.#waiting.filter((one) => one !== next);
        if (this.#isHere(next.change) || this.#take(next)) continue;
        // Who sent one that has waited is not who sent these.
        if (came.includes(next)) throw invalidChange(next.change, "no replica makes such a one");
      }
      for (const { change } of came) this.#isKnown(change);
    } catch (error) {
      this.#waiting = before.waiting;
      this.#backTo(before.length);
      throw error;
    }
  }

  changesSince(version: Version): Change[] {
    const wanted = this.#history.filter(({ change }) => change.seq > (version[change.actor] ?? 0));
    if (wanted.some(({ loaded }) => loaded)) {
      throw new LedgerError("INVALID_CHANGE", "Some of these came with load(). Begin with save().");
    }
    return wanted.map(({ change }) => change);
  }

  save(): Uint8Array {
    const all = this.#history.map(({ change: { actor, seq, bytes } }) => [
      actor,
      seq,
      Buffer.from(bytes).toString("base64"),
    ]);
    return new Uint8Array(gzipSync(JSON.stringify(all)));
  }

  load(piece: Uint8Array): void {
    const before = this.#history.length;
    try {
      for (const [actor, seq, base64] of saved.parse(JSON.parse(String(gunzipSync(piece))))) {
        const change = { actor, seq, bytes: new Uint8Array(Buffer.from(base64, "base64")) };
        if (this.#isKnown(change)) continue;
        const content = decode(this.#config.document, change);
        const one = { change, content, loaded: true };
        if (!this.#isReady(one) || !this.#take(one)) throw new Error(`${actor}:${seq}`);
      }
    } catch (cause) {
      this.#backTo(before);
      throw new LedgerError("INVALID_CHANGE", `No replica saved this (${cause}).`, { cause });
    }
    this.receive([]);
  }

  /** Does something as one change, or, where it fails, nothing. */
  #commit(inverses: Inverse[], work: (writing: Writing) => void): Change {
    const { document, actor } = this.#config;
    const seq = (this.#version.get(actor) ?? 0) + 1;
    const before = this.#seen.get(actor) ?? {};
    const seen = Object.fromEntries(
      [...this.#version].filter(([who, upTo]) => who !== actor && upTo !== before[who]),
    );
    const writer = this.#writerOf({ actor, seq, seen });
    const operations: Operation[] = [];
    const write = (operation: Operation) => {
      this.#state.apply(writer, operation);
      operations.push(operation);
    };
    try {
      work({ state: this.#state, writer, inverses, write });
    } catch (error) {
      this.#backTo(this.#history.length);
      throw error;
    }
    const content = { document, actor, seq, seen, operations };
    const change = { actor, seq, bytes: encode(content) };
    this.#note({ change, content }, writer);
    return change;
  }

  /** @returns whether it is sound; nothing is changed where it isn't */
  #take(one: Known): boolean {
    const writer = this.#writerOf(one.content);
    try {
      for (const operation of one.content.operations) this.#state.apply(writer, operation);
    } catch (error) {
      if (!(error instanceof Unsound)) throw error;
      this.#backTo(this.#history.length);
      return false;
    }
    this.#note(one, writer);
    return true;
  }

  /** What a change goes by: what its actor had seen, and nothing else that is here. */
  #writerOf({ actor, seq, seen }: Pick<Content, "actor" | "seq" | "seen">): Writer {
    const all = { ...this.#seen.get(actor) };
    for (const [who, upTo] of Object.entries(seen)) all[who] = Math.max(upTo, all[who] ?? 0);
    const lamports = Object.entries({ ...all, [actor]: seq - 1 }).map(
      ([who, upTo]) => this.#lamports.get(who)?.[upTo - 1] ?? 0,
    );
    return {
      ...{ actor, seq, seen: all, elements: 0 },
      lamport: 1 + Math.max(0, ...lamports),
      sees: (who, which) => which <= (who === actor ? seq : (all[who] ?? 0)),
    };
  }

  #note(one: Known, { actor, seq, seen, lamport }: Writer): void {
    this.#history.push(one);
    this.#known.set(tagOf({ actor, seq }), one);
    this.#version.set(actor, seq);
    this.#seen.set(actor, seen);
    const lamports = this.#lamports.get(actor);
    if (lamports) lamports.push(lamport);
    else this.#lamports.set(actor, [lamport]);
  }

  #isHere({ actor, seq }: Change): boolean {
    return this.#known.has(tagOf({ actor, seq }));
  }

  /** @throws LedgerError `INVALID_CHANGE` where it was another one when it came before */
  #isKnown(change: Change): boolean {
    const known = this.#known.get(tagOf(change));
    if (known && !isSame(known.change, change)) {
      throw invalidChange(change, "it was another one when it came before");
    }
    return known !== undefined;
  }

  #nextReady(): Known | undefined {
    return this.#waiting.find((one) => this.#isHere(one.change) || this.#isReady(one));
  }

  #isReady({ content: { actor, seq, seen } }: Known): boolean {
    const isThere = ([who, upTo]: [Actor, number]) => upTo <= (this.#version.get(who) ?? 0);
    const isNext = seq === (this.#version.get(actor) ?? 0) + 1;
    return isNext && Object.entries(seen).every(isThere);
  }

  /** Nothing is taken back from a state: it is made anew, of the changes before. */
  #backTo(length: number): void {
    const before = this.#history.slice(0, length);
    this.#history = [];
    this.#state = new State(this.#config.treasurer);
    this.#known = new Map();
    this.#version = new Map();
    this.#seen = new Map();
    this.#lamports = new Map();
    for (const one of before) {
      const writer = this.#writerOf(one.content);
      for (const operation of one.content.operations) this.#state.apply(writer, operation);
      this.#note(one, writer);
    }
  }
}

const isSame = (a: Change, b: Change) =>
  tagOf(a) === tagOf(b) && Buffer.compare(a.bytes, b.bytes) === 0;
