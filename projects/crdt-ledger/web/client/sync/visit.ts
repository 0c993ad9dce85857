/** One connection to a server: hello, what it lacks, and then whatever happens on either side. */
import type { Actor, Change, ClientFrame, ServerFrame, Version } from "../../../contract.ts";
import { decode, encode } from "./base64.ts";

/** How long the server may take to say anything that is waited for, in milliseconds. */
const ANSWER_MS = 5_000;
/** When to push again what the server couldn't take at the moment, in milliseconds. */
const AGAIN_MS = 500;
/** About how much is pushed at once, in bytes before base64. */
const PUSH_BYTES = 256 * 1_024;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Whose connection it is. */
export interface Visitor {
  version(): Promise<Version>;
  /** Own changes that aren't acknowledged and may be sent, in their order. */
  outbox(): readonly Change[];
  acknowledged(seq: number): void;
  load(saved: Uint8Array): Promise<void>;
  receive(changes: readonly Change[]): Promise<void>;
  pointed(actor: Actor, point: Point): void;
  synced(): void;
  /** Another try would come to the same. */
  hopeless(why: string): void;
}

export class Visit {
  /** Resolves when the connection is over, with whether it was any good. */
  readonly over: Promise<boolean>;
  readonly #socket: WebSocket;
  readonly #visitor: Visitor;
  readonly #end: (good: boolean) => void;
  #synced = false;
  #ended = false;
  /** What comes is taken in the order in which it came. */
  #taken: Promise<void> = Promise.resolve();
  #serial = 0;
  /** The push that has no answer yet. */
  #pushed: number | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(address: string, visitor: Visitor) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.over = promise;
    this.#end = resolve;
    this.#visitor = visitor;
    this.#socket = new WebSocket(address);
    this.#socket.addEventListener("open", () => void this.#hello());
    this.#socket.addEventListener("close", () => this.leave());
    this.#socket.addEventListener("message", ({ data }) => {
      this.#wait();
      const frame = JSON.parse(String(data)) as ServerFrame;
      this.#taken = this.#taken.then(() => this.#take(frame)).catch((error) => this.#fail(error));
    });
    this.#wait();
  }

  /** There may be something to push. */
  wake(): void {
    if (!this.#synced || this.#ended || this.#pushed !== undefined || this.#again) return;
    const changes: Change[] = [];
    let bytes = 0;
    for (const change of this.#visitor.outbox()) {
      bytes += change.bytes.length;
      if (changes.length > 0 && bytes > PUSH_BYTES) break;
      changes.push(change);
    }
    if (changes.length === 0) return;
    this.#serial += 1;
    this.#pushed = this.#serial;
    const wire = changes.map((change) => ({ ...change, bytes: encode(change.bytes) }));
    this.#send({ type: "push", id: this.#serial, changes: wire });
    this.#wait();
  }

  point({ x, y }: Point): void {
    if (this.#synced && !this.#ended) this.#send({ type: "cursor", x, y });
  }

  /** Doesn't wait for the other side, which may be out of reach. */
  leave(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#patience);
    clearTimeout(this.#again);
    this.#socket.close();
    this.#end(this.#synced);
  }

  async #hello(): Promise<void> {
    this.#send({ type: "hello", version: await this.#visitor.version() });
  }

  #send(frame: ClientFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  async #take(frame: ServerFrame): Promise<void> {
    if (this.#ended) return;
    switch (frame.type) {
      case "snapshot":
        return this.#visitor.load(decode(frame.bytes));
      case "changes":
        return this.#visitor.receive(
          frame.changes.map((change) => ({ ...change, bytes: decode(change.bytes) })),
        );
      case "cursor":
        return this.#visitor.pointed(frame.actor, frame);
      case "synced":
        this.#synced = true;
        this.#visitor.synced();
        break;
      case "acked":
        this.#pushed = undefined;
        this.#visitor.acknowledged(frame.seq);
        break;
      case "refused": {
        this.#pushed = undefined;
        const { code } = frame;
        if (code !== "TOO_EARLY" && code !== "STORE_UNAVAILABLE") {
          throw new Error(`the server refuses what was done here (${code})`);
        }
        this.#again = setTimeout(() => {
          this.#again = undefined;
          this.wake();
        }, AGAIN_MS);
      }
    }
    this.#wait();
    this.wake();
  }

  /** A connection that is cut somewhere says nothing of it. */
  #wait(): void {
    clearTimeout(this.#patience);
    const waits = !this.#synced || this.#pushed !== undefined;
    if (waits && !this.#ended) this.#patience = setTimeout(() => this.leave(), ANSWER_MS);
  }

  #fail(error: unknown): void {
    this.#visitor.hopeless(error instanceof Error ? error.message : String(error));
    this.leave();
  }
}
