/** Somebody who draws and pays, whatever dies: connects again, says hello, and pushes what isn't acknowledged. */
import { setTimeout as wait } from "node:timers/promises";
import type { Random } from "@db-katas/grading";
import { SignJWT } from "jose";
import { WebSocket } from "ws";
import type {
  Actor,
  Change,
  ClientFrame,
  DocumentId,
  Replica,
  ServerFrame,
  Version,
  View,
  WireChange,
} from "../../contract.ts";
import { nextEdits } from "./doings.ts";
import type { ServerProcess } from "./server-process.ts";

/** How many changes somebody makes, at most, that aren't acknowledged. */
const AHEAD = 6;
/** Before something is tried again, in milliseconds. */
const RETRY_MS = 25;
/** How often in a row `TOO_EARLY` may come of what has nothing unacknowledged before it. */
const MOST_EARLY = 40;
/** What a connection may be closed with: its server died, or has PostgreSQL no more. */
const CLOSED_BY_DEATH = [1001, 1006, 1013];

export interface Surroundings {
  readonly document: DocumentId;
  readonly secret: string;
  readonly servers: readonly ServerProcess[];
  readonly random: Random;
  /** Aborted when the run has taken too long. */
  readonly signal: AbortSignal;
  /** Told of each change that is acknowledged for the first time. */
  readonly acknowledged: () => void;
}

/** A push that has no answer yet. */
interface Push {
  readonly first: number;
  readonly last: number;
}

export class Person {
  readonly actor: Actor;
  readonly replica: Replica;
  /** All that this one has made, in the order of `seq`. */
  readonly made: Change[] = [];
  /** All the money that this one has issued. */
  issued = 0;
  /** Up to which `seq` changes are acknowledged. */
  acked = 0;
  readonly #around: Surroundings;
  readonly #inFlight = new Map<number, Push>();
  #socket: WebSocket | null = null;
  #pushes = 0;
  /** Up to which `seq` changes were pushed on this connection. */
  #posted = 0;
  /** Something was refused: what isn't acknowledged is pushed again once nothing is on its way. */
  #again = false;
  #early = 0;
  /** What the replica was last asked for: what somebody sees is still so when they do something. */
  #turn: Promise<void> = Promise.resolve();
  #failure: Error | null = null;
  #event = Promise.withResolvers<void>();

  constructor(actor: Actor, replica: Replica, around: Surroundings) {
    this.actor = actor;
    this.replica = replica;
    this.#around = around;
    around.signal.addEventListener("abort", () => {
      this.leave();
      this.#wake();
    });
  }

  /** Until this one has made so many changes, and all are acknowledged. @throws where that can't be */
  async work(changes: number): Promise<void> {
    const what = () => `change ${this.acked + 1} is acknowledged`;
    await this.#until(what, async () => {
      while (this.made.length < Math.min(changes, this.acked + AHEAD)) {
        await this.#inTurn(() => this.#make());
      }
      await this.#push();
      return this.acked >= changes;
    });
  }

  /** Until this one was told what it lacked, and has all that is in a version. @throws where that can't be */
  async hear(version: Version): Promise<void> {
    const what = () => `all of ${JSON.stringify(version)} is there`;
    await this.#until(what, async () => {
      await this.#turn;
      const known = await this.version();
      return Object.entries(version).every(([actor, seq]) => (known[actor] ?? 0) >= seq);
    });
  }

  version(): Promise<Version> {
    return this.replica.version(this.#around.document);
  }

  view(): Promise<View> {
    return this.replica.view(this.#around.document);
  }

  leave(): void {
    this.#socket?.terminate();
  }

  /** Tries on each connection, and whenever something came. */
  async #until(what: () => string, attempt: () => Promise<boolean>): Promise<void> {
    const { signal } = this.#around;
    for (;;) {
      const { promise: event } = this.#event;
      await this.#connect();
      if (this.#failure) throw this.#failure;
      if (await attempt()) return;
      if (signal.aborted) throw new Error(`${this.actor} waits in vain until ${what()}`);
      await event;
    }
  }

  async #connect(): Promise<void> {
    const { signal, servers, random } = this.#around;
    while (!this.#socket && !this.#failure && !signal.aborted) {
      try {
        await this.#hello(await this.#open(await random.pick(servers).address));
      } catch {
        // It is dead, not there yet, or without PostgreSQL.
        await wait(RETRY_MS);
      }
    }
  }

  async #open(address: string): Promise<WebSocket> {
    const { document, secret } = this.#around;
    const token = await new SignJWT({ sub: this.actor, doc: document })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(secret));
    const url = `${address}/${document}?token=${token}`;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once("open", resolve);
    socket.on("error", reject);
    await promise;
    return socket;
  }

  /** @throws where the connection is closed before it is told that it is synced */
  async #hello(socket: WebSocket): Promise<void> {
    const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as ServerFrame;
      if (frame.type === "synced") resolve();
      else this.#take(frame);
    });
    socket.once("close", (code) => {
      reject(new Error(`The connection was closed with ${code}.`));
      if (!CLOSED_BY_DEATH.includes(code))
        this.#fail(`a server closes its connection with ${code}`);
      this.#inFlight.clear();
      this.#socket = null;
      this.#wake();
    });
    this.#socket = socket;
    // What the connection before has brought is there first, or it would be asked for again.
    await this.#turn;
    const version = await this.version();
    socket.send(JSON.stringify({ type: "hello", version } satisfies ClientFrame), () => {});
    await synced;
    this.#posted = this.acked;
    this.#again = false;
  }

  async #make(): Promise<void> {
    const { actor, replica } = this;
    const { document, random } = this.#around;
    const nth = this.made.length + 1;
    const edits = await nextEdits({ actor, replica, document, random, nth });
    if (edits === "undo") {
      const undone = await replica.undo(document);
      if (undone) this.made.push(undone);
      return;
    }
    this.made.push(await replica.edit(document, edits));
    for (const edit of edits) if (edit.kind === "issue") this.issued += edit.amount;
  }

  async #push(): Promise<void> {
    if (this.#again) {
      if (this.#inFlight.size > 0) return;
      await wait(RETRY_MS);
      this.#again = false;
      this.#posted = this.acked;
    }
    const left = this.made.slice(this.#posted);
    // Sometimes each by itself, sometimes all at once.
    const size = this.#around.random.pick([1, 1, 2, AHEAD]);
    for (let from = 0; from < left.length; from += size) this.#post(left.slice(from, from + size));
  }

  #post(changes: readonly Change[]): void {
    this.#pushes += 1;
    const id = this.#pushes;
    const first = this.#posted + 1;
    this.#posted += changes.length;
    this.#inFlight.set(id, { first, last: this.#posted });
    const frame: ClientFrame = { type: "push", id, changes: changes.map(toWire) };
    this.#socket?.send(JSON.stringify(frame), () => {});
  }

  #take(frame: ServerFrame): void {
    if (frame.type === "acked") this.#acked(frame.id, frame.seq);
    if (frame.type === "refused") this.#refused(frame.id, frame.code);
    this.#inTurn(() => this.#pass(frame))
      .catch((error) => this.#fail(`what a server sends can't be taken: ${error}`))
      .finally(() => this.#wake());
  }

  async #pass(frame: ServerFrame): Promise<void> {
    const { document } = this.#around;
    if (frame.type === "snapshot") await this.replica.load(document, decode(frame.bytes));
    if (frame.type === "changes") {
      await this.replica.receive(document, frame.changes.map(fromWire));
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #acked(id: number, seq: number): void {
    this.#inFlight.delete(id);
    this.#early = 0;
    for (; this.acked < seq; this.#around.acknowledged()) this.acked += 1;
  }

  #refused(id: number, code: string): void {
    const push = this.#inFlight.get(id);
    this.#inFlight.delete(id);
    const isNext = push?.first === this.acked + 1 && !this.#again;
    this.#again = true;
    if (code === "STORE_UNAVAILABLE") return;
    if (code === "TOO_EARLY" && isNext) this.#early += 1;
    if (code === "TOO_EARLY" && this.#early <= MOST_EARLY) return;
    this.#fail(`change ${push?.first} is refused (${code}), and ${this.acked} are acknowledged`);
  }

  #fail(why: string): void {
    this.#failure ??= new Error(`${this.actor}: ${why}`);
    this.#wake();
  }

  #wake(): void {
    this.#event.resolve();
    this.#event = Promise.withResolvers<void>();
  }
}

function decode(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

function toWire({ actor, seq, bytes }: Change): WireChange {
  return { actor, seq, bytes: Buffer.from(bytes).toString("base64") };
}

function fromWire({ actor, seq, bytes }: WireChange): Change {
  return { actor, seq, bytes: decode(bytes) };
}
