/** Takes changes of one document as they come, each after those that it had seen, and only sound ones. */
import type { Actor, Change, DocumentId, Version } from "../../contract.ts";
import { audit, isIssuing } from "./audit.ts";
import {
  type Decoded,
  decode,
  type Genesis,
  genesisOf,
  invalidChange,
  type Origin,
  read,
  writerOf,
} from "./codec.ts";
import { LedgerError, Unsound } from "./errors.ts";
import { Past } from "./past.ts";
import { changesIn, isReadable, notSaved } from "./piece.ts";
import { State } from "./state.ts";

export class Judge {
  readonly document: DocumentId;
  readonly genesis: Genesis;
  readonly state: State;
  readonly #treasurer: Actor;
  readonly #past: Past;
  #waiting: readonly Decoded[] = [];

  constructor(document: DocumentId, treasurer: Actor) {
    this.document = document;
    this.#treasurer = treasurer;
    this.genesis = genesisOf(document);
    this.state = new State(treasurer, this.genesis);
    this.#past = new Past(this.genesis);
  }

  version(): Version {
    return this.#past.version();
  }

  /** @throws LedgerError `INVALID_CHANGE` where some that are asked for came within a whole document */
  changesSince(version: Version): Change[] {
    return this.#past.since(version);
  }

  /** The bytes of all that were taken, each after those that it had seen. */
  taken(): Uint8Array[] {
    return this.#past.after(0).map(({ change }) => change.bytes);
  }

  /** @returns the bytes of those that took effect @throws LedgerError `INVALID_CHANGE`: none of them did */
  receive(changes: readonly Change[]): Uint8Array[] {
    const came = changes.map((change) => decode(this.document, change));
    for (const { change, ops } of came) {
      // Nothing that it could have to wait for would give it the right to.
      const isForged = change.actor !== this.#treasurer && isIssuing(ops, this.genesis);
      if (isForged) throw invalidChange(change, "its actor is not the treasurer");
      // Servers merge nothing, and must not hand on what others can't merge.
      if (!isReadable(change.bytes)) throw invalidChange(change, "it is written wrongly");
    }
    return this.#receive(came);
  }

  /** As {@link receive}, of all changes in a whole document. */
  load(piece: Uint8Array): Uint8Array[] {
    const saved = changesIn(piece).filter((bytes) => !isSame(bytes, this.genesis.bytes));
    const came = saved.map((bytes) => read(this.document, bytes));
    if (!came.every((one) => one !== undefined)) throw notSaved();
    return this.#receive(came, true);
  }

  /** Takes a change that was made here. */
  takeOwn(bytes: Uint8Array, origin: Origin): Decoded {
    const decoded = decode(this.document, { ...origin, bytes });
    if (!this.#take(decoded, false)) throw new Error("This replica has made an unsound change.");
    this.state.keep();
    return decoded;
  }

  /** @param whole whether they are a document: all are there that one of them had seen */
  #receive(came: readonly Decoded[], whole = false): Uint8Array[] {
    const before = { waiting: this.#waiting, length: this.#past.length };
    try {
      const fresh = came.filter((one) => !this.#isKnown(one));
      const hashes = new Set(fresh.map(({ hash }) => hash));
      const waiting = this.#waiting.filter(({ hash }) => !hashes.has(hash));
      this.#waiting = this.#takeReady([...waiting, ...fresh], hashes, whole);
      if (whole && this.#waiting.some(({ hash }) => hashes.has(hash))) throw notSaved();
      this.state.keep();
      return this.#past.after(before.length).map(({ change }) => change.bytes);
    } catch (error) {
      this.state.backTo(0);
      this.#past.truncate(before.length);
      this.#waiting = before.waiting;
      throw error;
    }
  }

  /**
   * @param fresh the hashes of those that come now
   * @returns those that still wait
   */
  #takeReady(all: readonly Decoded[], fresh: ReadonlySet<string>, loaded: boolean): Decoded[] {
    let waiting = [...all];
    for (let before = -1; before !== this.#past.length; ) {
      before = this.#past.length;
      waiting = waiting.filter((one) => {
        if (!this.#past.isReady(one)) return true;
        const isSound = this.#take(one, loaded);
        // Who sent one that has waited is not who sent these.
        if (!isSound && fresh.has(one.hash)) {
          throw invalidChange(one.change, "no replica makes such a one");
        }
        return false;
      });
    }
    return waiting;
  }

  /** @returns whether it is sound; nothing is changed where it isn't */
  #take(one: Decoded, loaded: boolean): boolean {
    const mark = this.state.mark();
    try {
      if (this.#isKnown(one)) return true;
      const { change, startOp, ops } = one;
      const known = this.#past.knownAs(one, loaded);
      const origin: Origin = { actor: change.actor, seq: change.seq };
      const sees = ({ actor, seq }: Origin) => seq <= (known.seen.get(actor) ?? 0);
      const writer = writerOf(this.document, change.actor);
      audit(this.state, this.genesis, { origin, writer, startOp, ops, sees });
      this.#past.add(known);
      return true;
    } catch (error) {
      this.state.backTo(mark);
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
}

const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
