/** What a document has come to: Loro's document, and what is read from it as changes come. */
import { LoroDoc, type PeerID, VersionVector } from "loro-crdt";
import type { Actor, Change, DocumentId, Properties, ShapeId } from "../../contract.ts";
import { type Audited, audit } from "./audit.ts";
import { Board } from "./board.ts";
import { Changes } from "./changes.ts";
import { Containers, counterOf, type Made } from "./containers.ts";
import { historyOf } from "./history.ts";
import { peerOf } from "./identity.ts";
import { Ledger, type Origin, type Sees } from "./ledger.ts";
import { invalidChange, type Waiting } from "./waiting.ts";
import { wholeOf } from "./whole.ts";

/** In bytes: longer changes take effect by themselves. Measured: about there it begins to be quicker. */
const LONGEST_LATER = 1_024;

export interface DocumentConfig {
  readonly document: DocumentId;
  readonly actor: Actor;
  readonly treasurer: Actor;
}

/** A change that was added, as Loro has it. */
interface Added {
  readonly peer: PeerID;
  /** The first counter after its operations. */
  readonly to: number;
}

/** What there was at some moment. */
export interface Mark {
  readonly ends: Map<PeerID, number>;
  readonly version: Map<Actor, number>;
  readonly changes: number;
  readonly ledger: Ledger;
  readonly written: number;
  readonly containers: Containers;
  readonly made: number;
  readonly isComplete: boolean;
}

export class Contents {
  readonly peer: PeerID;
  readonly changes = new Changes();
  readonly #config: DocumentConfig;
  #doc: LoroDoc;
  /** Null: to be read anew. */
  #board: Board | null = null;
  /** What changes have touched since the board has read it. */
  readonly #stale = new Set<ShapeId>();
  #ledger: Ledger;
  #containers = new Containers();
  #version = new Map<Actor, number>();
  /** Where the operations of each peer end: Loro knows as well, and takes long to tell. */
  #ends = new Map<PeerID, number>();

  constructor(config: DocumentConfig) {
    this.#config = config;
    this.peer = peerOf(config.document, config.actor);
    this.#doc = new LoroDoc();
    this.#doc.setPeerId(this.peer);
    this.#ledger = new Ledger(config.treasurer);
  }

  /** With all that was merged in effect. @throws where Loro can't apply it: then there is only one way, back */
  get doc(): LoroDoc {
    if (this.#doc.isDetached()) {
      // This throws where the next one, alone, panics: after that not even a copy can be made.
      this.#doc.checkout(this.#doc.oplogFrontiers());
      this.#doc.checkoutToLatest();
    }
    return this.#doc;
  }

  get board(): Board {
    const { doc } = this;
    if (this.#board) for (const shape of this.#stale) this.#board.refresh(shape);
    this.#stale.clear();
    this.#board ??= new Board(doc);
    return this.#board;
  }

  get ledger(): Ledger {
    return this.#ledger;
  }

  get version(): ReadonlyMap<Actor, number> {
    return this.#version;
  }

  get ends(): ReadonlyMap<PeerID, number> {
    return this.#ends;
  }

  /** It has taken effect. */
  add(change: Change, { peer, to }: Added): void {
    this.#version.set(change.actor, change.seq);
    this.#ends.set(peer, to);
    this.changes.add(change);
  }

  /** This replica has added a shape. */
  made(shape: ShapeId): void {
    const { actor } = this.#config;
    const map = this.board.map(shape).id;
    const type = this.board.field(shape, "type") as Properties["type"];
    const text = this.board.text(shape).id;
    this.#containers.add({ shape, type, map, text, origin: { actor, counter: counterOf(map) } });
  }

  /** Of this replica's next operation. */
  nextCounter(): number {
    return this.doc.oplogVersion().get(this.peer) ?? 0;
  }

  has({ actor, seq }: Change): boolean {
    return seq <= (this.#version.get(actor) ?? 0);
  }

  /** What came before comes again as it was. */
  assertSame(change: Change): void {
    if (!this.has(change)) return;
    const known = this.changes.find(change);
    if (known && !isSame(known, change)) {
      throw invalidChange(change, "it was another one when it came before");
    }
  }

  /** @returns whether all that was merged is in effect now; there is a way back where not */
  isApplied(): boolean {
    try {
      void this.doc;
      return true;
    } catch {
      return false;
    }
  }

  /** The same in half the time; but where not, this is of no more use. */
  takesEffect(): boolean {
    try {
      if (this.#doc.isDetached()) this.#doc.checkoutToLatest();
      return true;
    } catch {
      // Loro has panicked in it, and holds on to it: close() couldn't give it back.
      this.#doc = new LoroDoc();
      return false;
    }
  }

  /**
   * A change that comes with many takes effect with them, when somebody looks or asks {@link takesEffect}:
   * by itself it takes Loro several times as long, unless its text is long.
   * @param atOnce whether it takes effect by itself all the same
   * @returns whether it is sound; nothing is changed where it isn't
   */
  merge({ change, peer, from, to, seen }: Waiting, atOnce: boolean): boolean {
    const { actor, seq, bytes } = change;
    if (from !== (this.#ends.get(peer) ?? 0)) return false;
    const before = this.now();
    let past: VersionVector | undefined;
    const sees = (origin: Origin) => {
      past ??= this.#doc.frontiersToVV([...seen]);
      return origin.counter < (past.get(peerOf(this.#config.document, origin.actor)) ?? 0);
    };
    try {
      const now = atOnce || bytes.length > LONGEST_LATER;
      // What can't be applied is somebody else's: this one isn't refused for it.
      if (!now || !this.isApplied()) this.#doc.detach();
      const { pending } = this.#doc.import(bytes);
      if (pending) throw new Error("it had seen what it doesn't say");
      const ops = this.#doc
        .exportJsonInIdSpan({ peer, counter: from, length: to - from })
        .flatMap((json) => json.ops);
      const audited = audit(actor, ops);
      if (audited?.seq !== seq || !this.#take(actor, audited, sees)) throw new Error("not sound");
      if (atOnce && !this.isApplied()) throw new Error("Loro can't apply it");
      this.#outdate(audited);
    } catch {
      this.backTo(before);
      return false;
    }
    this.add(change, { peer, to });
    return true;
  }

  /** @returns whether its writer had the right to all of it */
  #take(actor: Actor, audited: Audited, sees: (origin: Origin) => boolean): boolean {
    for (const { entry, counter } of audited.entries) {
      const written = { entry, origin: { actor, counter } };
      if (this.#ledger.mayWrite(written, sees) !== "yes") return false;
      this.#ledger.write(written);
    }
    if (audited.slots) this.#board?.refreshSlots();
    return this.#touches(actor, audited, sees);
  }

  /** @returns whether it goes to what its writer had seen */
  #touches(actor: Actor, { containers, made, parents }: Audited, sees: Sees): boolean {
    const known: Sees = (origin) => origin.actor === actor || sees(origin);
    const isNew = made.every(({ shape }) => this.#containers.seen(shape, () => true).length === 0);
    const isThere = [...containers].every((one) => this.#containers.ownerOf(one, () => true));
    if (!isNew || !isThere) this.#complete(made);
    for (const one of made) {
      // Who has seen a shape doesn't add it once more: that would bring back what is deleted.
      if (this.#containers.seen(one.shape, known).length > 0) return false;
      this.#containers.add(one);
    }
    const isGroup = (parent: ShapeId) =>
      this.#containers.seen(parent, known).some(({ type }) => type === "group");
    return (
      parents.values().every(isGroup) &&
      containers.values().every((one) => this.#containers.ownerOf(one, known) !== undefined)
    );
  }

  /** After a load: two have taken one id, so it matters who was there before. */
  #complete(except: readonly Made[]): void {
    if (this.#containers.isComplete) return;
    for (const { audited } of historyOf(this.#config.document, this.#doc)) {
      const others = audited.made.filter(({ map }) => except.every((one) => one.map !== map));
      for (const one of others) this.#containers.add(one);
    }
    this.#containers.isComplete = true;
  }

  /** What a change has touched is to be looked at again. */
  #outdate({ containers, made }: Audited): void {
    for (const { shape } of made) this.#stale.add(shape);
    for (const container of containers) {
      const owner = this.#containers.ownerOf(container, () => true);
      if (owner !== undefined && container.endsWith(":Map")) this.#stale.add(owner);
    }
  }

  /** Begins anew with what is in the Loro document. @throws where replicas can't have made it */
  readAll(): void {
    this.#ends = this.#doc.oplogVersion().toJSON();
    this.#board = new Board(this.#doc);
    const whole = wholeOf(this.#doc, this.#board, this.#config);
    if (whole) {
      this.#version = whole.version;
      this.#ledger = whole.ledger;
      this.#containers = new Containers(whole.made);
      this.#containers.isComplete = false;
    } else this.#readHistory();
  }

  #readHistory(): void {
    this.#version = new Map();
    this.#ledger = new Ledger(this.#config.treasurer);
    this.#containers = new Containers();
    for (const { actor, audited, sees } of historyOf(this.#config.document, this.#doc)) {
      const { seq } = audited;
      const isNext = seq === (this.#version.get(actor) ?? 0) + 1;
      if (!isNext || !this.#take(actor, audited, sees)) throw new Error(`${actor}:${seq}`);
      this.#version.set(actor, seq);
    }
  }

  mark(): Mark {
    return { ...this.now(), ends: new Map(this.#ends), version: new Map(this.#version) };
  }

  /** A mark for as long as nothing is added. */
  now(): Mark {
    return {
      ends: this.#ends,
      version: this.#version,
      changes: this.changes.length,
      ledger: this.#ledger,
      written: this.#ledger.written.length,
      containers: this.#containers,
      made: this.#containers.made.length,
      isComplete: this.#containers.isComplete,
    };
  }

  /** Loro takes nothing back; but it can make another document, of all that came before. */
  backTo({ ends, version, changes, ledger, written, containers, made, isComplete }: Mark): void {
    const doc = this.#doc;
    this.#doc = doc.forkAt(doc.vvToFrontiers(new VersionVector(ends)));
    this.#doc.setPeerId(this.peer);
    doc.free();
    this.#board = null;
    this.#ledger = new Ledger(this.#config.treasurer, ledger.written.slice(0, written));
    this.#containers = new Containers(containers.made.slice(0, made));
    this.#containers.isComplete = isComplete;
    this.#version = version;
    this.#ends = ends;
    this.changes.truncate(changes);
  }

  /** Gives Loro's memory back, at once: of a document that nobody holds any more, that comes some time. */
  close(): void {
    this.#doc.free();
  }
}

export function isSame(a: Change, b: Change): boolean {
  return a.actor === b.actor && a.seq === b.seq && areEqual(a.bytes, b.bytes);
}

/** A browser has no `Buffer.compare`. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
