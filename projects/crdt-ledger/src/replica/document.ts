/** One actor's copy of one document: what was done here and what came, in one Loro document. */
import { LoroDoc, type OpId, type PeerID, type VersionVector } from "loro-crdt";
import type {
  Actor,
  Change,
  DocumentId,
  Edit,
  Properties,
  ShapeId,
  Version,
  View,
} from "../../contract.ts";
import { LedgerError } from "../errors.ts";
import { assertEdits, isEntry } from "../model.ts";
import { type Audited, audit, ledgerOf } from "./audit.ts";
import { Board } from "./board.ts";
import { Changes } from "./changes.ts";
import { type CharacterId, takenOut } from "./characters.ts";
import { Containers, counterOf } from "./containers.ts";
import { write } from "./edits.ts";
import { historyOf } from "./history.ts";
import { peerOf } from "./identity.ts";
import { Ledger, type Origin, type Sees, type Written } from "./ledger.ts";
import { type Inverse, takeBack, type Undoable } from "./undo.ts";
import { invalidChange, type Waiting, waitingFor } from "./waiting.ts";

export interface DocumentConfig {
  readonly document: DocumentId;
  readonly actor: Actor;
  readonly treasurer: Actor;
}

/** What there was at some moment. */
interface Mark {
  readonly frontiers: OpId[];
  readonly version: Map<Actor, number>;
  readonly changes: number;
  readonly ledger: Ledger;
  readonly written: number;
  readonly containers: Containers;
  readonly made: number;
}

export class LedgerDocument {
  readonly #config: DocumentConfig;
  readonly #peer: PeerID;
  readonly #undoable: Undoable[] = [];
  readonly #putBack = new Map<number, CharacterId>();
  readonly #changes = new Changes();
  #doc: LoroDoc;
  #board: Board;
  #ledger: Ledger;
  #containers = new Containers();
  #version = new Map<Actor, number>();
  /** What came before something that it had seen. */
  #waiting: readonly Waiting[] = [];

  constructor(config: DocumentConfig) {
    this.#config = config;
    this.#peer = peerOf(config.document, config.actor);
    this.#doc = new LoroDoc();
    this.#doc.setPeerId(this.#peer);
    this.#board = new Board(this.#doc);
    this.#ledger = new Ledger(config.treasurer);
  }

  view(): View {
    return { shapes: this.#board.view(), balances: this.#ledger.balances() };
  }

  escrow(account: string): number {
    return this.#ledger.escrow(this.#config.actor, account);
  }

  version(): Version {
    return Object.fromEntries(this.#version);
  }

  edit(edits: readonly Edit[]): Change {
    assertEdits(edits);
    const inverses: Inverse[] = [];
    return this.#commit((tag) => {
      for (const edit of edits) {
        if (isEntry(edit)) {
          const counter = this.#nextCounter();
          this.#write({ entry: edit, origin: { actor: this.#config.actor, counter } });
          this.#doc.getList(ledgerOf(this.#config.actor)).push({ ...edit });
        } else {
          const nextCounter = () => this.#nextCounter();
          const taken = (from: number) => takenOut(this.#doc, { peer: this.#peer, from });
          write({ board: this.#board, tag, inverses, nextCounter, taken }, edit);
        }
      }
      return () => {
        for (const { kind, shape } of inverses) if (kind === "added") this.#made(shape);
        if (inverses.length > 0) this.#undoable.push({ tag, inverses });
      };
    });
  }

  undo(): Change | null {
    const undoable = this.#undoable.at(-1);
    if (!undoable) return null;
    return this.#commit((tag) => {
      const undoing = {
        doc: this.#doc,
        board: this.#board,
        peer: this.#peer,
        tag,
        putBack: this.#putBack,
        nextCounter: () => this.#nextCounter(),
      };
      takeBack(undoing, undoable);
      return () => this.#undoable.pop();
    });
  }

  receive(changes: readonly Change[]): void {
    const came = changes.map((change) => waitingFor(this.#config.document, change));
    for (const { change } of came) this.#assertSame(change);
    const before = { waiting: this.#waiting, ...this.#mark() };
    const isAgain = ({ change }: Waiting) => came.some((one) => isSame(one.change, change));
    this.#waiting = [...this.#waiting.filter((waiting) => !isAgain(waiting)), ...came];
    try {
      for (let next = this.#nextReady(); next; next = this.#nextReady()) {
        const { change } = next;
        this.#waiting = this.#waiting.filter((waiting) => waiting !== next);
        if (this.#has(change)) {
          if (came.includes(next)) this.#assertSame(change);
          continue;
        }
        const sound = this.#merge(next);
        // Whoever sent this is not who sent one that was waiting.
        if (!sound && came.includes(next))
          throw invalidChange(change, "no replica makes such a one");
      }
    } catch (error) {
      this.#waiting = before.waiting;
      this.#backTo(before);
      throw error;
    }
  }

  changesSince(version: Version): Change[] {
    const found = this.#changes.since(version, this.#version);
    if (!found) {
      throw new LedgerError(
        "INVALID_CHANGE",
        "Some of these changes came with load(), and are not there one by one. Begin with save().",
      );
    }
    return found;
  }

  save(): Uint8Array {
    return this.#doc.export({ mode: "snapshot" });
  }

  load(saved: Uint8Array): void {
    const before = this.#mark();
    try {
      const { pending } = this.#doc.import(saved);
      if (pending) throw new Error("it lacks what came before");
      this.#readAll();
    } catch (cause) {
      this.#backTo(before);
      throw new LedgerError("INVALID_CHANGE", `No replica saved this (${cause}).`, { cause });
    }
    this.receive([]);
  }

  /** Does something as one change, or, where it fails, nothing. */
  #commit(work: (tag: string) => () => void): Change {
    const { actor } = this.#config;
    const seq = (this.#version.get(actor) ?? 0) + 1;
    const before = this.#mark();
    const from = this.#doc.oplogVersion();
    try {
      this.#doc.getMap("log").set(actor, seq);
      const done = work(`${actor}:${seq}`);
      this.#doc.commit();
      done();
    } catch (error) {
      this.#backTo(before);
      throw error;
    }
    const change = { actor, seq, bytes: this.#doc.export({ mode: "update", from }) };
    this.#version.set(actor, seq);
    this.#changes.add(change);
    return change;
  }

  /** This replica has added a shape. */
  #made(shape: ShapeId): void {
    const { actor } = this.#config;
    const map = this.#board.map(shape).id;
    const type = this.#board.field(shape, "type") as Properties["type"];
    const text = this.#board.text(shape).id;
    this.#containers.add({ shape, type, map, text, origin: { actor, counter: counterOf(map) } });
  }

  #nextCounter(): number {
    return this.#doc.oplogVersion().get(this.#peer) ?? 0;
  }

  /** @throws `INSUFFICIENT_ESCROW`, `NOT_TREASURER` */
  #write(written: Written): void {
    const may = this.#ledger.mayWrite(written);
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
    this.#ledger.write(written);
  }

  #has({ actor, seq }: Change): boolean {
    return seq <= (this.#version.get(actor) ?? 0);
  }

  /** What came before comes again as it was. */
  #assertSame(change: Change): void {
    if (!this.#has(change)) return;
    const known = this.#changes.find(change);
    if (known && !isSame(known, change)) {
      throw invalidChange(change, "it was another one when it came before");
    }
  }

  #nextReady(): Waiting | undefined {
    const ends = this.#doc.oplogVersion();
    const isThere = ({ peer, counter }: OpId) => counter < (ends.get(peer) ?? 0);
    return this.#waiting.find(
      ({ change: { actor, seq }, seen }) =>
        seq <= (this.#version.get(actor) ?? 0) + 1 && seen.every(isThere),
    );
  }

  /** @returns whether it is sound; nothing is changed where it isn't */
  #merge({ change, peer, from, to, seen }: Waiting): boolean {
    const { actor, seq, bytes } = change;
    if (from !== (this.#doc.oplogVersion().get(peer) ?? 0)) return false;
    const before = this.#mark();
    let past: VersionVector | undefined;
    const sees = (origin: Origin) => {
      past ??= this.#doc.frontiersToVV([...seen]);
      return origin.counter < (past.get(peerOf(this.#config.document, origin.actor)) ?? 0);
    };
    try {
      const { pending } = this.#doc.import(bytes);
      if (pending) throw new Error("it had seen what it doesn't say");
      const ops = this.#doc
        .exportJsonInIdSpan({ peer, counter: from, length: to - from })
        .flatMap((json) => json.ops);
      const audited = audit(actor, ops);
      if (audited?.seq !== seq || !this.#take(actor, audited, sees)) throw new Error("not sound");
      this.#refresh(audited);
    } catch {
      this.#backTo(before);
      return false;
    }
    this.#version.set(actor, seq);
    this.#changes.add(change);
    return true;
  }

  /** @returns whether its writer had the right to all of it */
  #take(actor: Actor, audited: Audited, sees: (origin: Origin) => boolean): boolean {
    for (const { entry, counter } of audited.entries) {
      const written = { entry, origin: { actor, counter } };
      if (this.#ledger.mayWrite(written, sees) !== "yes") return false;
      this.#ledger.write(written);
    }
    if (audited.slots) this.#board.refreshSlots();
    return this.#touches(actor, audited, sees);
  }

  /** @returns whether it goes to what its writer had seen */
  #touches(actor: Actor, { containers, made, parents }: Audited, sees: Sees): boolean {
    const known: Sees = (origin) => origin.actor === actor || sees(origin);
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

  /** Looks again at what a change has touched. */
  #refresh({ containers, made }: Audited): void {
    for (const { shape } of made) this.#board.refresh(shape);
    for (const container of containers) {
      const owner = this.#containers.ownerOf(container, () => true);
      if (owner !== undefined && container.endsWith(":Map")) this.#board.refresh(owner);
    }
  }

  /** Begins anew with what is in the Loro document. @throws where a replica can't have made it */
  #readAll(): void {
    this.#version = new Map();
    this.#ledger = new Ledger(this.#config.treasurer);
    this.#containers = new Containers();
    this.#board = new Board(this.#doc);
    for (const { actor, audited, sees } of historyOf(this.#config.document, this.#doc)) {
      const { seq } = audited;
      const isNext = seq === (this.#version.get(actor) ?? 0) + 1;
      if (!isNext || !this.#take(actor, audited, sees)) throw new Error(`${actor}:${seq}`);
      this.#version.set(actor, seq);
    }
  }

  #mark(): Mark {
    return {
      frontiers: this.#doc.frontiers(),
      version: new Map(this.#version),
      changes: this.#changes.length,
      ledger: this.#ledger,
      written: this.#ledger.written.length,
      containers: this.#containers,
      made: this.#containers.made.length,
    };
  }

  /** Loro takes nothing back; but it can make another document, of all that came before. */
  #backTo({ frontiers, version, changes, ledger, written, containers, made }: Mark): void {
    this.#doc = this.#doc.forkAt(frontiers);
    this.#doc.setPeerId(this.#peer);
    this.#board = new Board(this.#doc);
    this.#ledger = new Ledger(this.#config.treasurer, ledger.written.slice(0, written));
    this.#containers = new Containers(containers.made.slice(0, made));
    this.#version = version;
    this.#changes.truncate(changes);
  }
}

function isSame(a: Change, b: Change): boolean {
  return a.actor === b.actor && a.seq === b.seq && areEqual(a.bytes, b.bytes);
}

/** A browser has no `Buffer.compare`. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
