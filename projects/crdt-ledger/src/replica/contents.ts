/** What a document has come to: Loro's document, and what is read from it as changes come. */
import type { LoroDoc, OpId, PeerID, VersionVector } from "loro-crdt";
import type { Actor, Change, DocumentId, Properties, ShapeId } from "../../contract.ts";
import { type Audited, audit } from "./audit.ts";
import { Board } from "./board.ts";
import { Changes } from "./changes.ts";
import { Containers, counterOf, type Made } from "./containers.ts";
import { encode } from "./encoding.ts";
import { historyOf } from "./history.ts";
import { peerOf } from "./identity.ts";
import { Ledger, type Origin, type Sees } from "./ledger.ts";
import { Merging } from "./merging.ts";
import { invalidChange, type Waiting } from "./waiting.ts";
import { wholeOf } from "./whole.ts";

export interface DocumentConfig {
  readonly document: DocumentId;
  readonly actor: Actor;
  readonly treasurer: Actor;
}

/** A change that was added, as Loro has it. */
interface Added {
  readonly peer: PeerID;
  readonly from: number;
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
  readonly merging: number;
}

const always: Sees = () => true;

export class Contents {
  readonly peer: PeerID;
  readonly changes = new Changes();
  readonly #config: DocumentConfig;
  readonly #merging: Merging;
  /** Null: to be read anew. */
  #board: Board | null = null;
  /** What changes have touched since the board has read it. */
  readonly #stale = new Set<ShapeId>();
  #ledger: Ledger;
  #containers = new Containers();
  #version = new Map<Actor, number>();
  /** Where the operations of each peer end: Loro knows as well, and takes long to tell. */
  #ends = new Map<PeerID, number>();
  /** Those who have written something here, and this replica's own. */
  readonly #actors = new Map<PeerID, Actor>();

  constructor(config: DocumentConfig) {
    this.#config = config;
    this.peer = peerOf(config.document, config.actor);
    this.#merging = new Merging(config.document, this.peer);
    this.#actors.set(this.peer, config.actor);
    this.#ledger = new Ledger(config.treasurer);
  }

  /** With all that was merged in effect. @throws where Loro can't apply it: then there is only one way, back */
  get doc(): LoroDoc {
    return this.#merging.doc;
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
  add(change: Change, { peer, from, to }: Added): void {
    this.#version.set(change.actor, change.seq);
    this.#actors.set(peer, change.actor);
    this.#ends.set(peer, to);
    this.changes.add(change, from);
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
    return this.#merging.isApplied();
  }

  /** Whether all that was merged can take effect; but where not, this is of no more use. */
  takesEffect(): boolean {
    return this.#merging.takesEffect();
  }

  /** Changes that are left for later. */
  get unmerged(): number {
    return this.#merging.unmerged;
  }

  mergeSome(): void {
    this.#merging.mergeSome();
  }

  /**
   * A change that comes with many takes effect with them, when somebody looks or asks {@link takesEffect}:
   * by itself it takes Loro several times as long.
   * @param atOnce whether it takes effect by itself all the same
   * @returns whether it is sound; nothing is changed where it isn't
   */
  merge(waiting: Waiting, atOnce: boolean): boolean {
    const { change, peer, from, to, seen, ops } = waiting;
    const { actor, seq } = change;
    if (from !== (this.#ends.get(peer) ?? 0)) return false;
    const before = this.mark();
    let past: VersionVector | undefined;
    const sees = (origin: Origin) => {
      past ??= this.#merging.pastOf(seen);
      return origin.counter < (past.get(peerOf(this.#config.document, origin.actor)) ?? 0);
    };
    try {
      const audited = audit(actor, ops);
      const isSound = audited?.seq === seq && this.#follows(waiting);
      if (!isSound || !this.#take(actor, audited, sees)) throw new Error("not sound");
      this.#merging.add(change, !setsOnly(audited));
      if (atOnce && !this.isApplied()) throw new Error("Loro can't apply it");
      this.#outdate(audited);
    } catch {
      this.unmerge(before);
      return false;
    } finally {
      past?.free();
    }
    this.add(change, { peer, from, to });
    return true;
  }

  /** As others are to be sent it. @param from the counter of its first operation */
  encode(change: Pick<Change, "actor" | "seq">, from: number): Uint8Array {
    const { doc, peer } = this;
    const length = this.nextCounter() - from;
    const changes = doc.exportJsonInIdSpan({ peer, counter: from, length });
    return encode(this.#config.document, change, changes, (of) => {
      const actor = this.#actors.get(of);
      if (actor === undefined) throw new Error(`Nobody here is Loro's peer ${of}.`);
      return actor;
    });
  }

  /** Whether Loro would say that it was made after these: of all that its actor had seen, the newest. */
  #follows({ peer, from, seen }: Waiting): boolean {
    const [one] = seen;
    const isOwn = one?.peer === peer && one.counter === from - 1;
    if (seen.length <= 1 && (from === 0 || isOwn)) return true;
    if (new Set(seen.map((each) => each.peer)).size < seen.length) return false;
    const pasts = seen.map((each) => this.#merging.pastOf([each]));
    const isIn = (each: OpId, past: VersionVector) => each.counter < (past.get(each.peer) ?? 0);
    const knowsItself = from === 0 || pasts.some((past) => isIn({ peer, counter: from - 1 }, past));
    const areNewest = seen.every((each, i) =>
      pasts.every((past, j) => i === j || !isIn(each, past)),
    );
    for (const past of pasts) past.free();
    return knowsItself && areNewest;
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
    if (!this.#containers.isComplete) {
      const isNew = made.every(({ shape }) => this.#containers.seen(shape, always).length === 0);
      const isThere = [...containers].every((one) => this.#containers.ownerOf(one, always));
      if (!isNew || !isThere) this.#complete(made);
    }
    for (const one of made) {
      // Who has seen a shape doesn't add it once more: that would bring back what is deleted.
      if (this.#containers.seen(one.shape, known).length > 0) return false;
      this.#containers.add(one);
    }
    for (const parent of parents) {
      const those = this.#containers.seen(parent, known);
      if (!those.some(({ type }) => type === "group")) return false;
    }
    for (const one of containers) {
      if (this.#containers.ownerOf(one, known) === undefined) return false;
    }
    return true;
  }

  /** After a load: two have taken one id, so it matters who was there before. */
  #complete(except: readonly Made[]): void {
    for (const { audited } of historyOf(this.#config.document, this.#merging.history)) {
      const others = audited.made.filter(({ map }) => except.every((one) => one.map !== map));
      for (const one of others) this.#containers.add(one);
    }
    this.#containers.isComplete = true;
  }

  /** What a change has touched is to be looked at again. */
  #outdate({ containers, made }: Audited): void {
    for (const { shape } of made) this.#stale.add(shape);
    for (const container of containers) {
      const owner = this.#containers.ownerOf(container, always);
      if (owner !== undefined && container.endsWith(":Map")) this.#stale.add(owner);
    }
  }

  /** Begins anew with what is in the Loro document. @throws where replicas can't have made it */
  readAll(): void {
    const { doc } = this;
    this.#ends = doc.oplogVersion().toJSON();
    this.#board = new Board(doc);
    const whole = wholeOf(doc, this.#board, this.#config);
    if (whole) {
      this.#version = whole.version;
      this.#ledger = whole.ledger;
      this.#containers = new Containers(whole.made);
      this.#containers.isComplete = false;
    } else this.#readHistory();
    for (const actor of this.#version.keys()) {
      this.#actors.set(peerOf(this.#config.document, actor), actor);
    }
  }

  #readHistory(): void {
    this.#version = new Map();
    this.#ledger = new Ledger(this.#config.treasurer);
    this.#containers = new Containers();
    for (const { actor, audited, sees } of historyOf(this.#config.document, this.doc)) {
      const { seq } = audited;
      const isNext = seq === (this.#version.get(actor) ?? 0) + 1;
      if (!isNext || !this.#take(actor, audited, sees)) throw new Error(`${actor}:${seq}`);
      this.#version.set(actor, seq);
    }
  }

  mark(): Mark {
    return {
      ends: this.#ends,
      version: this.#version,
      changes: this.changes.length,
      ledger: this.#ledger,
      written: this.#ledger.written.length,
      containers: this.#containers,
      made: this.#containers.made.length,
      isComplete: this.#containers.isComplete,
      merging: this.#merging.length,
    };
  }

  /** Loro takes nothing back; but it can make another document, of all that came before. */
  backTo(mark: Mark): void {
    this.#restore(mark);
    this.#merging.fork(this.#ends);
    this.#board = null;
  }

  /** Takes back what was merged since; to the document nothing else has happened. */
  unmerge(mark: Mark): void {
    this.#restore(mark);
    if (this.#merging.truncate(mark.merging, this.#ends)) this.#board = null;
  }

  #restore({ ends, version, changes, ledger, written, containers, made, isComplete }: Mark): void {
    this.#ledger = new Ledger(this.#config.treasurer, ledger.written.slice(0, written));
    this.#containers = new Containers(containers.made.slice(0, made));
    this.#containers.isComplete = isComplete;
    this.changes.truncate(changes, ({ actor, seq }, from) => {
      setOrDelete(version, actor, seq - 1);
      setOrDelete(ends, peerOf(this.#config.document, actor), from);
    });
    this.#version = version;
    this.#ends = ends;
  }

  /** Gives Loro's memory back, at once: of a document that nobody holds any more, that comes some time. */
  close(): void {
    this.#merging.close();
  }
}

/** A text and a list have positions, and one that was made up may be beyond their end; a map has none. */
function setOrDelete<Key>(map: Map<Key, number>, key: Key, value: number): void {
  if (value > 0) map.set(key, value);
  else map.delete(key);
}

function setsOnly({ slots, entries, made, containers }: Audited): boolean {
  // What is typed into a shape that the same change adds stands with no container of others.
  const hasLists = slots || entries.length > 0 || made.length > 0;
  return !hasLists && containers.values().every((one) => one.endsWith(":Map"));
}

export function isSame(a: Change, b: Change): boolean {
  return a.actor === b.actor && a.seq === b.seq && areEqual(a.bytes, b.bytes);
}

/** A browser has no `Buffer.compare`. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
