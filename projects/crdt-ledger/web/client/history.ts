/** The board as it was after each change that was ever made to it. */
import { LoroDoc, type OpId, type PeerID, VersionVector } from "loro-crdt";
import type { Actor, DocumentId, View } from "../../contract.ts";
import { Board } from "../../src/replica/board.ts";
import { historyOf } from "../../src/replica/history.ts";
import { Ledger, type Written } from "../../src/replica/ledger.ts";

export interface Step {
  readonly actor: Actor;
  /** Of its first operation. */
  readonly id: OpId;
  readonly written: readonly Written[];
}

export class History {
  /** Each is after those that it had seen; what was made at the same time is in one order for all. */
  readonly steps: readonly Step[];
  readonly #doc: LoroDoc;
  readonly #treasurer: Actor;
  readonly #ends: Map<PeerID, number>;

  /** @param saved by a replica */
  constructor(document: DocumentId, saved: Uint8Array, treasurer: Actor) {
    this.#doc = LoroDoc.fromSnapshot(saved);
    this.#treasurer = treasurer;
    this.#ends = this.#doc.oplogVersion().toJSON();
    this.steps = [...historyOf(document, this.#doc)].map(({ actor, id, audited }) => ({
      actor,
      id,
      written: audited.entries.map(({ entry, counter }) => ({ entry, origin: { actor, counter } })),
    }));
  }

  /** @param count of the steps that have been taken */
  at(count: number): View {
    const taken = this.steps.slice(0, count);
    const version = new Map<PeerID, number>();
    // What an actor had written is all before its first step that isn't taken.
    for (const { id } of taken) version.set(id.peer, this.#ends.get(id.peer) ?? 0);
    for (const { id } of this.steps.slice(count).toReversed()) {
      if (version.has(id.peer)) version.set(id.peer, id.counter);
    }
    this.#doc.checkout(this.#doc.vvToFrontiers(new VersionVector(version)));
    const written = taken.flatMap((step) => step.written);
    return {
      shapes: new Board(this.#doc).view(),
      balances: new Ledger(this.#treasurer, written).balances(),
    };
  }
}
