/** What is compared: clients on one document of a server, each of whom changes something of their own. */
import { type EventEmitter, once } from "node:events";
import { WebSocket } from "ws";
import type { Usage } from "./servers/child.ts";

export interface Relay extends AsyncDisposable {
  /** Has each client make so many changes ahead: what making them takes is not the server's. */
  prepare(each: number): Promise<void>;
  /** Sends the client's next change; resolves when somebody who only listens has it. */
  deliver(client: number): Promise<void>;
  usage(): Promise<Usage>;
  /** Of the server, in bytes. */
  memory(): Promise<number>;
}

export interface RelayStage {
  /** Of a database that is migrated; only ours uses it. */
  readonly postgres: string;
  /** How many change something. One more listens. */
  readonly clients: number;
}

export type Open = (stage: RelayStage) => Promise<Relay>;

interface Waiting {
  readonly number: number;
  readonly told: () => void;
  readonly failed: (error: Error) => void;
}

/** Who waits for which change to arrive. A client's changes arrive in their order. */
export class Deliveries {
  readonly #waiting = new Map<number, Waiting[]>();

  /** @param number grows with each change of the client's */
  until(client: number, number: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(client) ?? [];
    this.#waiting.set(client, waiting);
    waiting.push({ number, told: resolve, failed: reject });
    return promise;
  }

  /** All of the client's changes up to this one have arrived. */
  arrived(client: number, upTo: number): void {
    const waiting = this.#waiting.get(client) ?? [];
    while ((waiting[0]?.number ?? Number.POSITIVE_INFINITY) <= upTo) waiting.shift()?.told();
  }

  /** Nothing more will arrive. */
  fail(why: string): void {
    const waiting = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    for (const { failed } of waiting) failed(new Error(why));
  }

  /** Fails where a connection is closed: who waits for something would wait for ever. */
  watch(socket: EventEmitter): void {
    socket.once("close", () => this.fail("The server closed a connection."));
  }
}

export async function connected(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, "open");
  return socket;
}

/** Resolves when something came that is what is waited for; what comes before is thrown away. */
export function untilMessage(socket: EventEmitter, is: (data: Buffer) => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const closed = () => reject(new Error("The server closed a connection."));
  const take = (data: Buffer) => {
    if (!is(data)) return;
    socket.off("message", take);
    socket.off("close", closed);
    resolve();
  };
  socket.on("message", take);
  socket.once("close", closed);
  return promise;
}
