/** The board as it was after each change that was ever made to it. */
import { type JsonChange, LoroDoc, type OpId, type PeerID, VersionVector } from "loro-crdt";
import type { Actor, View } from "../../contract.ts";
import { audit, changesIn, LOG } from "../../src/replica/audit.ts";
import { Board } from "../../src/replica/board.ts";
import { Ledger, type Written } from "../../src/replica/ledger.ts";

export interface Step {
  readonly actor: Actor;
  readonly peer: PeerID;
  /** Of its first operation. */
  readonly counter: number;
  readonly lamport: number;
  readonly written: readonly Written[];
}

export class History {
  /** Each is after those that it had seen; what was made at the same time is in an order that is the same for all. */
  readonly steps: readonly Step[];
  readonly #doc: LoroDoc;
  readonly #treasurer: Actor;
  readonly #ends: Map<PeerID, number>;

  /** @param saved by a replica */
  constructor(saved: Uint8Array, treasurer: Actor) {
    this.#doc = LoroDoc.fromSnapshot(saved);
    this.#treasurer = treasurer;
    this.#ends = this.#doc.oplogVersion().toJSON();
    const { changes } = this.#doc.exportJsonUpdates(undefined, undefined, false);
    this.steps = changes
      .flatMap(stepsIn)
      .sort((a, b) => a.lamport - b.lamport || (a.actor < b.actor ? -1 : 1));
  }

  /** @param count of the steps that have been taken */
  at(count: number): View {
    const taken = this.steps.slice(0, count);
    const version = new Map<PeerID, number>();
    // What an actor had written is all before its first step that isn't taken.
    for (const { peer } of taken) version.set(peer, this.#ends.get(peer) ?? 0);
    for (const { peer, counter } of this.steps.slice(count).toReversed()) {
      if (version.has(peer)) version.set(peer, counter);
    }
    this.#doc.checkout(this.#doc.vvToFrontiers(new VersionVector(version)));
    const written = taken.flatMap((step) => step.written);
    return {
      shapes: new Board(this.#doc).view(),
      balances: new Ledger(this.#treasurer, written).balances(),
    };
  }
}

function stepsIn(change: JsonChange): Step[] {
  const { peer, counter: begins } = idOf(change.id);
  return changesIn(change).flatMap((ops) => {
    const [first] = ops;
    if (first?.container !== LOG || !("key" in first.content)) return [];
    const actor = first.content.key;
    const entries = audit(actor, ops)?.entries ?? [];
    return {
      actor,
      peer,
      counter: first.counter,
      lamport: change.lamport + first.counter - begins,
      written: entries.map(({ entry, counter }) => ({ entry, origin: { actor, counter } })),
    };
  });
}

function idOf(id: string): OpId {
  const [counter, peer] = id.split("@");
  return { counter: Number(counter), peer: peer as PeerID };
}
