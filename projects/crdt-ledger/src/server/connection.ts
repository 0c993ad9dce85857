/** One client: what it says, what it has, and what is sent to it. */
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { Actor, ClientFrame, ServerConfig, ServerFrame, Version } from "../../contract.ts";
import { LedgerError } from "../errors.ts";
import type { Database } from "./database.ts";
import { fromWire, Parcel, parseFrame, write } from "./frames.ts";
import { Known } from "./known.ts";
import type { Log, Snapshot } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Room } from "./room.ts";

/** The codes that connections are closed with. */
export const CLOSED = {
  away: 1001,
  broken: 1011,
  later: 1013,
  misspoken: 4400,
  stranger: 4401,
} as const;

export interface Backing {
  readonly config: ServerConfig;
  readonly database: Database;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class Connection {
  readonly actor: Actor;
  readonly #socket: WebSocket;
  readonly #stream: Socket;
  readonly #room: Room;
  readonly #backing: Backing;
  #isCorked = false;
  /** Null before its hello. */
  #known: Known | null = null;
  readonly #underWay = new Set<Promise<void>>();

  /** @param stream what the WebSocket is spoken on */
  constructor(socket: WebSocket, stream: Socket, actor: Actor, room: Room, backing: Backing) {
    this.actor = actor;
    this.#socket = socket;
    this.#stream = stream;
    this.#room = room;
    this.#backing = backing;
    socket.on("message", (data, isBinary) => {
      const frame = isBinary ? undefined : parseFrame(String(data));
      const first = this.#known === null;
      if (!frame || first !== (frame.type === "hello")) return this.close(CLOSED.misspoken);
      const work = this.#take(frame).catch((error: unknown) => {
        // It must not be the end of the others.
        console.error(error);
        this.close(CLOSED.broken);
      });
      if (frame.type !== "push") return;
      this.#underWay.add(work);
      void work.then(() => this.#underWay.delete(work));
    });
  }

  /** Resolves when all that the client has pushed has been answered. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  close(code: number): void {
    this.#backing.metrics.closed(code);
    this.#room.connections.delete(this);
    this.#socket.close(code);
  }

  /** Sends what others did, unless too much waits for this client: then it has to come back. */
  tell(frame: ServerFrame): void {
    this.#put(write(frame));
  }

  /** Sends of what is new to somebody what is new to this client. */
  deliver(snapshot: Snapshot | null, parcel: Parcel): void {
    for (const frame of this.#known?.take(snapshot, parcel) ?? []) this.#put(frame);
  }

  #put(frame: string | Buffer): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    // Whatever its size, one frame can be sent to somebody who reads.
    if (!this.#fits(frame)) this.#uncork();
    if (!this.#fits(frame)) this.close(CLOSED.later);
    else {
      this.#cork();
      this.#socket.send(frame, { binary: false });
    }
  }

  #fits(frame: string | Buffer): boolean {
    const waiting = this.#socket.bufferedAmount;
    return waiting === 0 || waiting + frame.length <= this.#backing.config.limits.backlogBytes;
  }

  /** What is sent in one turn of the event loop costs one write: a change of somebody's and an answer, say. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#stream.cork();
    setImmediate(() => this.#uncork());
  }

  #uncork(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#stream.uncork();
  }

  async #take(frame: ClientFrame): Promise<void> {
    if (frame.type === "hello") return this.#sync(frame.version);
    if (frame.type === "cursor") return this.#room.point({ ...frame, actor: this.actor }, this);
    const answered = this.#backing.metrics.pushed();
    const code = await this.#push(frame.changes.map(fromWire));
    answered(code ?? "acked");
    const { id } = frame;
    const seq = frame.changes.at(-1)?.seq ?? 0;
    // Closed meanwhile: then the client asks again on its next connection.
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.tell(code ? { type: "refused", id, code } : { type: "acked", id, seq });
  }

  async #push(changes: ReturnType<typeof fromWire>[]) {
    const [first, ...others] = changes;
    const follow = changes.every(({ seq }, i) => seq === (first?.seq ?? 0) + i);
    const own = changes.every(({ actor }) => actor === this.actor);
    if (!first || !own || !follow) return "INVALID_CHANGE";
    const { changeBytes } = this.#backing.config.limits;
    if (changes.some(({ bytes }) => bytes.length > changeBytes)) return "TOO_LARGE";
    const signal = this.#backing.database.budget();
    const last = first.seq + others.length;
    try {
      // Who has pushed them is not to be sent them, which may happen before the answer comes.
      const sound = () => this.#known?.has({ [this.actor]: last });
      return await this.#room.stored.push(signal, [first, ...others], sound);
    } catch (error) {
      if (error instanceof LedgerError && error.code === "STORE_UNAVAILABLE") return error.code;
      throw error;
    }
  }

  /** Sends what the client lacks as fast as it reads, and has it hear of what comes from then on. */
  async #sync(version: Version): Promise<void> {
    const known = new Known(version);
    this.#known = known;
    try {
      // Nothing can happen between the last look and the join: what the room reads comes after this.
      for (let more = true; more || known.position < this.#room.position; ) {
        const signal = this.#backing.database.budget();
        const { log } = this.#backing;
        const page = await log.after(signal, this.#room.document, known.position, known.version);
        const frames = known.take(page.snapshot, new Parcel(page.rows));
        for (const frame of frames) await this.#sent(frame);
        known.reaches(page.position);
        ({ more } = page);
      }
    } catch {
      return this.close(CLOSED.later);
    }
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.tell({ type: "synced" });
    this.#room.join(this, known.position);
  }

  /** Resolves when it is on its way; rejects when the connection is lost. */
  #sent(frame: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const sent = (error?: Error) => (error ? reject(error) : resolve());
      this.#socket.send(frame, { binary: false }, sent);
    });
  }
}
