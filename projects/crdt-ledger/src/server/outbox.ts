/** What leaves for one client. */
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { headerOf, lengthOf, type Payload } from "./frames.ts";

/** Where what leaves is put together: the system has nearly always taken all of it when the write returns. */
let shared = Buffer.allocUnsafeSlow(64 * 1_024);

/**
 * Text messages of one turn of the event loop, changes of somebody's and an answer, say, leave in one write of one
 * piece: sent by the WebSocket each would be several pieces, and what they are put together in would be garbage.
 */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #stream: Socket;
  readonly #mostBytes: number;
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;
  readonly #later = () => this.flush();

  /** @param stream what the WebSocket is spoken on @param mostBytes that may wait for somebody who doesn't read */
  constructor(socket: WebSocket, stream: Socket, mostBytes: number) {
    this.#socket = socket;
    this.#stream = stream;
    this.#mostBytes = mostBytes;
  }

  /** @returns whether there was room for it. Whatever its size, one message can be sent to somebody who reads. */
  put(payload: Payload): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return true;
    const length = lengthOf(payload);
    if (!this.#fits(length)) this.flush();
    if (!this.#fits(length)) return false;
    if (this.#bytes === 0) setImmediate(this.#later);
    const header = headerOf(length);
    this.#parts.push(header, ...payload);
    this.#bytes += header.length + length;
    return true;
  }

  flush(): void {
    if (this.#bytes === 0) return;
    if (this.#socket.readyState === WebSocket.OPEN) this.#write();
    this.#parts.length = 0;
    this.#bytes = 0;
  }

  #fits(length: number): boolean {
    const waiting = this.#bytes + this.#socket.bufferedAmount;
    return waiting === 0 || waiting + length <= this.#mostBytes;
  }

  #write(): void {
    // Behind something that waits it waits as well, and takes no more room than it has to.
    const isNext = this.#stream.writableLength === 0;
    if (!isNext || this.#bytes > shared.length) {
      this.#stream.write(Buffer.concat(this.#parts, this.#bytes));
      return;
    }
    let end = 0;
    for (const part of this.#parts) {
      shared.set(part, end);
      end += part.length;
    }
    this.#stream.write(shared.subarray(0, end));
    // What is still there is not to be written over.
    if (this.#stream.writableLength > 0) shared = Buffer.allocUnsafeSlow(shared.length);
  }
}
