/** One client, who is told of the log by whoever reads it for them: from where they are, as far as it goes. */
import { WebSocket } from "ws";
import type {
  Actor,
  Change,
  ClientFrame,
  DocumentId,
  ServerConfig,
  ServerFrame,
  Version,
} from "../../contract.ts";
import { LedgerError } from "./errors.ts";
import { type Page, pageAfter } from "./log.ts";
import type { Store } from "./store.ts";
import { CLOSED, type Cursor, frameIn, fromWire, toWire } from "./wire.ts";
import type { Writer } from "./writer.ts";

export interface Seat {
  readonly actor: Actor;
  readonly document: DocumentId;
  readonly limits: ServerConfig["limits"];
  readonly store: Store;
  readonly writer: Writer;
  /** Its board has grown. */
  grown(): void;
  pointed(cursor: Cursor): void;
}

type Push = Extract<ClientFrame, { type: "push" }>;

export class Connection {
  readonly socket: WebSocket;
  readonly #seat: Seat;
  /** What it has, or has been sent; null before its hello. */
  #version: Record<Actor, number> | null = null;
  #position = 0;
  #synced = false;
  #reading: Promise<void> | undefined;
  /** There may be more than what was read. */
  #more = false;
  #pushes: Promise<unknown> = Promise.resolve();

  constructor(socket: WebSocket, seat: Seat) {
    this.socket = socket;
    this.#seat = seat;
    socket.on("message", (data, isBinary) => {
      const frame = isBinary ? undefined : frameIn(String(data));
      const isInTurn = (this.#version === null) === (frame?.type === "hello");
      if (frame && isInTurn) this.#take(frame);
      else socket.close(CLOSED.misspoken);
    });
  }

  /** Up to where it has been told of the log. */
  get position(): number {
    return this.#position;
  }

  /** Resolves when all that it has pushed is answered. */
  async settled(): Promise<void> {
    await this.#pushes;
  }

  wake(): void {
    if (this.#version === null) return;
    this.#more = true;
    this.#reading ??= this.#read()
      .catch(() => {
        // Who is there already will be woken again; who is new is to ask again.
        if (!this.#synced) this.socket.close(CLOSED.later);
      })
      .finally(() => {
        this.#reading = undefined;
      });
  }

  /** Sends it, unless more waits for this client than may. */
  tell(frame: ServerFrame): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    const text = JSON.stringify(frame);
    const { bufferedAmount } = this.socket;
    const isTooMuch =
      bufferedAmount > 0 && bufferedAmount + text.length > this.#seat.limits.backlogBytes;
    if (isTooMuch) this.socket.close(CLOSED.later);
    else this.socket.send(text);
  }

  #take(frame: ClientFrame): void {
    if (frame.type === "hello") {
      this.#version = { ...frame.version };
      this.wake();
    } else if (frame.type === "cursor") {
      this.#seat.pointed({ ...frame, actor: this.#seat.actor });
    } else {
      const answer = this.#push(frame).then((told) => this.tell(told));
      this.#pushes = Promise.allSettled([this.#pushes, answer]);
    }
  }

  async #push({ id, changes: sent }: Push): Promise<ServerFrame> {
    const { actor, document, limits, writer } = this.#seat;
    const changes = sent.map(fromWire);
    const [{ seq: first }] = changes as [Change];
    const isOwn = changes.every((change, i) => change.actor === actor && change.seq === first + i);
    if (!isOwn) return { type: "refused", id, code: "INVALID_CHANGE" };
    const isLarge = changes.some(({ bytes }) => bytes.length > limits.changeBytes);
    if (isLarge) return { type: "refused", id, code: "TOO_LARGE" };
    const seq = first + changes.length - 1;
    try {
      // It could be read, and sent back, before it is answered.
      const code = await writer.push(document, changes, () => this.#has({ [actor]: seq }));
      if (code) return { type: "refused", id, code };
    } catch (error) {
      if (!(error instanceof LedgerError)) console.error(error);
      return { type: "refused", id, code: "STORE_UNAVAILABLE" };
    }
    this.#seat.grown();
    return { type: "acked", id, seq };
  }

  async #read(): Promise<void> {
    const { store, document } = this.#seat;
    while (this.#more && this.socket.readyState === WebSocket.OPEN) {
      this.#more = false;
      const page = await store.reading(store.budget(), (query) =>
        pageAfter(query, document, this.#position),
      );
      const position = page.snapshot?.position ?? page.rows.at(-1)?.position;
      for (const frame of this.#lacking(page)) {
        // Who is new is told as fast as they read.
        if (this.#synced) this.tell(frame);
        else await this.#sent(frame);
      }
      if (position !== undefined) {
        this.#position = position;
        this.#more = true;
      } else if (!this.#synced) {
        this.#synced = true;
        this.tell({ type: "synced" });
      }
    }
  }

  #lacking({ snapshot, rows }: Page): ServerFrame[] {
    const has = this.#version ?? {};
    const isLacking = ({ actor, seq }: Pick<Change, "actor" | "seq">) => seq > (has[actor] ?? 0);
    const frames: ServerFrame[] = [];
    const { version = {}, bytes = new Uint8Array() } = snapshot ?? {};
    if (Object.entries(version).some(([actor, seq]) => isLacking({ actor, seq }))) {
      frames.push({ type: "snapshot", version, bytes: Buffer.from(bytes).toString("base64") });
      this.#has(version);
    }
    for (const row of rows.filter(isLacking)) {
      this.#has({ [row.actor]: row.seq });
      frames.push({ type: "changes", changes: [toWire(row)] });
    }
    return frames;
  }

  #has(version: Version): void {
    const own = this.#version;
    if (!own) return;
    for (const [actor, seq] of Object.entries(version)) own[actor] = Math.max(seq, own[actor] ?? 0);
  }

  #sent(frame: ServerFrame): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.send(JSON.stringify(frame), (error) => (error ? reject(error) : resolve()));
    });
  }
}
