/** Loro's document. It is given sound changes when somebody needs what they come to, or while nobody needs anything. */
import { LoroDoc, type OpId, type PeerID, VersionVector } from "loro-crdt";
import type { Change, DocumentId } from "../../contract.ts";
import { Backlog } from "./backlog.ts";
import { toJson } from "./encoding.ts";
import { waitingFor } from "./waiting.ts";

/** Changes that it is given at a time where nobody waits for it: that takes it a millisecond or two. */
const SOME = 96;
/** How its JSON is to be read: peers by their numbers. */
const WRITTEN_OUT = { schema_version: 1, start_version: {}, peers: null };

export class Merging {
  readonly #document: DocumentId;
  readonly #peer: PeerID;
  #doc = new LoroDoc();
  /** What it hasn't yet: many at once take it less time than one after the other. */
  readonly #unmerged = new Backlog();
  /** How many it was given. */
  #merged = 0;
  /** Whether something isn't in effect that it may not be able to apply. */
  #isDoubtful = false;

  constructor(document: DocumentId, peer: PeerID) {
    this.#document = document;
    this.#peer = peer;
    this.#doc.setPeerId(peer);
  }

  /** With all that was added in effect. @throws where Loro can't apply it: then there is only one way, back */
  get doc(): LoroDoc {
    const doc = this.history;
    if (doc.isDetached()) {
      // This throws where the next one, alone, panics: after that not even a copy can be made.
      doc.checkout(doc.oplogFrontiers());
      doc.checkoutToLatest();
    }
    this.#isDoubtful = false;
    return doc;
  }

  /** With all that was added in its history, in effect or not. */
  get history(): LoroDoc {
    this.#give(this.#unmerged.length);
    return this.#doc;
  }

  /** How many were added that it wasn't given yet. */
  get unmerged(): number {
    return this.#unmerged.length;
  }

  /** How many were added. */
  get length(): number {
    return this.#merged + this.#unmerged.length;
  }

  /** @param isDoubtful whether it may be found that it can't be applied, sound as it seems */
  add(change: Change, isDoubtful: boolean): void {
    this.#unmerged.add(change);
    this.#isDoubtful ||= isDoubtful;
  }

  /** @returns whether all that was added is in effect now; there is a way back where not */
  isApplied(): boolean {
    try {
      void this.doc;
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Whether all that was added can take effect, in half the time where something is doubtful and in none
   * otherwise; but where not, this is of no more use.
   */
  takesEffect(): boolean {
    if (!this.#isDoubtful) return true;
    try {
      const doc = this.history;
      if (doc.isDetached()) doc.checkoutToLatest();
      this.#isDoubtful = false;
      return true;
    } catch {
      // Loro has panicked in it, and holds on to it: close() couldn't give it back.
      this.#doc = new LoroDoc();
      return false;
    }
  }

  /** The less is left for whoever needs it. */
  mergeSome(): void {
    this.#give(SOME);
  }

  /** All that somebody knows who had seen these. */
  pastOf(seen: readonly OpId[]): VersionVector {
    return this.history.frontiersToVV([...seen]);
  }

  /**
   * Takes back all but the first that were added.
   * @param ends where the operations of each peer end then
   * @returns whether there is another document for that
   */
  truncate(length: number, ends: Map<PeerID, number>): boolean {
    const isMerged = length < this.#merged;
    if (isMerged) this.fork(ends);
    else this.#unmerged.truncate(length - this.#merged);
    this.#merged = length - this.#unmerged.length;
    return isMerged;
  }

  /** Loro takes nothing back; but it can make another document, of all that came before. */
  fork(ends: Map<PeerID, number>): void {
    const doc = this.#doc;
    this.#unmerged.truncate(0);
    this.#doc = doc.forkAt(doc.vvToFrontiers(new VersionVector(ends)));
    this.#doc.setPeerId(this.#peer);
    doc.free();
  }

  /** Gives Loro's memory back, at once: of a document that nobody holds any more, that comes some time. */
  close(): void {
    this.#doc.free();
  }

  #give(most: number): void {
    if (this.#unmerged.length === 0) return;
    this.#doc.detach();
    // To read them once more takes less than to keep all of them as they were read.
    const changes = this.#unmerged
      .take(most)
      .map((change) => waitingFor(this.#document, change))
      .map((waiting) => toJson(waiting.peer, waiting));
    this.#merged += changes.length;
    this.#doc.importJsonUpdates(JSON.stringify({ ...WRITTEN_OUT, changes }));
  }
}
