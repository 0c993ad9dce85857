/** One connection: it reads the log for itself, from where it has come to. */
import { WebSocket } from "ws";
import type { Actor, ClientFrame, DocumentId, ServerFrame, Version } from "../../contract.ts";
import { LedgerError } from "../../src/errors.ts";
import type { Database } from "../../src/server/database.ts";
import { fromWire, parseFrame, toWire, write } from "../../src/server/frames.ts";
import { type Log, lacks, type Page } from "../../src/server/log.ts";
import type { Limits } from "./server.ts";
import type { Writer } from "./writer.ts";

export const CLOSED = { away: 1001, later: 1013, misspoken: 4400, stranger: 4401 } as const;

export interface Seat {
  readonly actor: Actor;
  readonly document: DocumentId;
  readonly limits: Limits;
  readonly database: Database;
  readonly log: Log;
  readonly writer: Writer;
  /** There is something new in the log. */
  grown(): void;
  pointed(cursor: Extract<ServerFrame, { type: "cursor" }>): void;
}

export class Client {
  readonly socket: WebSocket;
  readonly #seat: Seat;
  /** What it has, or has been sent; null before its hello. */
  #version: Record<Actor, number> | null = null;
  #position = 0;
  #synced = false;
  #reading = false;
  #again = false;
  #pushes: Promise<unknown> = Promise.resolve();

  constructor(socket: WebSocket, seat: Seat) {
    this.socket = socket;
    this.#seat = seat;
    socket.on("message", (data, isBinary) => {
      const frame = isBinary ? undefined : parseFrame(String(data));
      const isFirst = this.#version === null;
      if (!frame || isFirst !== (frame.type === "hello")) socket.close(CLOSED.misspoken);
      else this.#take(frame);
    });
  }

  /** Up to where it has been told; null while it needn't be told of what comes. */
  get position(): number | null {
    return this.#synced ? this.#position : null;
  }

  /** Resolves when all that it has pushed is answered. */
  async settled(): Promise<void> {
    await this.#pushes;
  }

  /** There may be something new. */
  wake(): void {
    if (this.#version === null || this.socket.readyState !== WebSocket.OPEN) return;
    this.#again = true;
    if (this.#reading) return;
    this.#reading = true;
    this.#read()
      .catch(() => {
        // Later there will be another occasion; who is new is to ask again.
        if (!this.#synced) this.socket.close(CLOSED.later);
      })
      .finally(() => {
        this.#reading = false;
      });
  }

  /** Sends it, unless too much waits for this client already. */
  tell(frame: ServerFrame): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    const text = write(frame);
    const waiting = this.socket.bufferedAmount;
    const isTooMuch = waiting > 0 && waiting + text.length > this.#seat.limits.backlogBytes;
    if (isTooMuch) this.socket.close(CLOSED.later);
    else this.socket.send(text);
  }

  #take(frame: ClientFrame): void {
    if (frame.type === "hello") {
      this.#version = { ...frame.version };
      this.wake();
    } else if (frame.type === "cursor") {
      const { actor } = this.#seat;
      this.#seat.pointed({ ...frame, actor });
    } else {
      const answer = this.#push(frame).then((told) => this.tell(told));
      this.#pushes = Promise.all([this.#pushes, answer]).catch((error) => console.error(error));
    }
  }

  async #push({ id, changes }: Extract<ClientFrame, { type: "push" }>): Promise<ServerFrame> {
    const { actor, document, limits, writer, database } = this.#seat;
    const refused = (code: Extract<ServerFrame, { type: "refused" }>["code"]) =>
      ({ type: "refused", id, code }) as const;
    const decoded = changes.map(fromWire);
    const first = decoded[0]?.seq ?? 0;
    const isOwn = decoded.every((change, i) => change.actor === actor && change.seq === first + i);
    if (!isOwn) return refused("INVALID_CHANGE");
    if (decoded.some(({ bytes }) => bytes.length > limits.changeBytes)) return refused("TOO_LARGE");
    const seq = first + decoded.length - 1;
    try {
      // It isn't sent what it has pushed, which could be read before it is answered.
      const sound = () => this.#has({ [actor]: seq });
      const code = await writer.push(database.budget(), document, decoded, sound);
      if (code) return refused(code);
    } catch (error) {
      if (error instanceof LedgerError && error.code === "STORE_UNAVAILABLE") {
        return refused(error.code);
      }
      throw error;
    }
    this.#seat.grown();
    return { type: "acked", id, seq };
  }

  async #read(): Promise<void> {
    const { database, log, document } = this.#seat;
    while (this.#again && this.socket.readyState === WebSocket.OPEN) {
      this.#again = false;
      const version = this.#version ?? {};
      const page = await log.after(database.budget(), document, this.#position, version);
      for (const frame of this.#lacking(page)) {
        if (this.#synced) this.tell(frame);
        else await this.#sent(frame);
      }
      this.#position = Math.max(this.#position, page.position);
      if (page.more) this.#again = true;
      else if (!this.#synced) {
        this.#synced = true;
        this.tell({ type: "synced" });
      }
    }
  }

  #lacking({ snapshot, rows }: Page): ServerFrame[] {
    const has = this.#version ?? {};
    const frames: ServerFrame[] = [];
    if (snapshot && lacks(has, snapshot.version)) {
      const bytes = Buffer.from(snapshot.bytes).toString("base64");
      frames.push({ type: "snapshot", version: snapshot.version, bytes });
      this.#has(snapshot.version);
    }
    const changes = rows.filter(({ actor, seq }) => seq > (has[actor] ?? 0));
    for (const { actor, seq } of changes) this.#has({ [actor]: seq });
    if (changes.length > 0) frames.push({ type: "changes", changes: changes.map(toWire) });
    return frames;
  }

  #has(version: Version): void {
    const own = this.#version;
    if (!own) return;
    for (const [actor, seq] of Object.entries(version)) own[actor] = Math.max(seq, own[actor] ?? 0);
  }

  /** As fast as it reads. */
  #sent(frame: ServerFrame): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.send(write(frame), (error) => (error ? reject(error) : resolve()));
    });
  }
}
