/**
 * A WebSocket (RFC 6455) of somebody who sends, and makes nothing of what comes: on a machine that is shared, what clients
 * take for reading servers would lack. Long messages are skipped as they lie in one piece of memory that all of them
 * read into; short ones are told, since one of them may say that something went wrong.
 */
import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { connect, type Socket } from "node:net";

/** Everybody's: what is read is looked at before anything else can be read. */
const memory = Buffer.allocUnsafeSlow(256 * 1_024);
/** The longest payload that is told, in bytes. */
const SHORT = 512;
const END_OF_HEAD = "\r\n\r\n";
const TEXT = 1;
const BINARY = 2;
const PING = 9;
const PONG = 10;
const LAST = 0x80;
const MASKED = 0x80;
const IN_16_BITS = 126;
const IN_64_BITS = 127;
const NOTHING = Buffer.alloc(0);
/** Whoever reads has to take it off all the same; whoever sends needn't put it on. */
const MASK = Buffer.alloc(4);

interface Frame {
  readonly kind: number;
  readonly payloadAt: number;
  readonly end: number;
}

/** Emits `message` with the payload of each that is short, and `close`. */
export class Bystander extends EventEmitter {
  readonly #stream: Socket;
  /** The rest of what came last, which is the beginning of something. */
  #begun = NOTHING;
  /** How much of what comes next belongs to something long. */
  #skipped = 0;
  #isOpen = false;
  readonly #opened = Promise.withResolvers<void>();

  private constructor(port: number) {
    super();
    const callback = (length: number, read: Uint8Array) => {
      this.#read(read.subarray(0, length) as Buffer);
      return true;
    };
    this.#stream = connect({ host: "127.0.0.1", port, onread: { buffer: memory, callback } });
    this.#stream.setNoDelay().on("error", () => {});
    this.#stream.once("close", () => {
      this.#opened.reject(new Error("The server refused a connection."));
      this.emit("close");
    });
  }

  /** @param url of a WebSocket server on this machine @throws where it isn't let in */
  static async connect(url: string): Promise<Bystander> {
    const { host, port, pathname, search } = new URL(url);
    const bystander = new Bystander(Number(port));
    bystander.#stream.write(
      [
        `GET ${pathname}${search} HTTP/1.1`,
        `Host: ${host}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}${END_OF_HEAD}`,
      ].join("\r\n"),
    );
    await bystander.#opened.promise;
    return bystander;
  }

  send(payload: string | Uint8Array): void {
    if (typeof payload === "string") this.#send(TEXT, Buffer.from(payload));
    else this.#send(BINARY, payload);
  }

  terminate(): void {
    this.#stream.destroy();
  }

  #send(kind: number, payload: Uint8Array): void {
    const { length } = payload;
    if (length >= 2 ** 16) throw new RangeError("A bystander sends no more than 64 KB at a time.");
    const size = length < IN_16_BITS ? [length] : [IN_16_BITS, length >> 8, length & 0xff];
    const [first = 0, ...rest] = size;
    const head = Buffer.from([LAST | kind, MASKED | first, ...rest]);
    this.#stream.write(Buffer.concat([head, MASK, payload]));
  }

  #read(read: Buffer): void {
    if (this.#skipped >= read.length) {
      this.#skipped -= read.length;
      return;
    }
    let left = read.subarray(this.#skipped);
    this.#skipped = 0;
    if (this.#begun.length > 0) left = Buffer.concat([this.#begun, left]);
    if (!this.#isOpen) left = this.#open(left);
    if (this.#isOpen) left = this.#take(left);
    // What is kept of it is a copy: the memory is everybody's.
    this.#begun = Buffer.from(left);
  }

  /** @returns what comes after the answer to the handshake */
  #open(left: Buffer): Buffer {
    const end = left.indexOf(END_OF_HEAD);
    if (end === -1) return left;
    this.#isOpen = left.toString("latin1", 0, end).startsWith("HTTP/1.1 101 ");
    if (this.#isOpen) this.#opened.resolve();
    else this.terminate();
    return left.subarray(end + END_OF_HEAD.length);
  }

  /** @returns the beginning of a frame that isn't whole yet */
  #take(read: Buffer): Buffer {
    let left = read;
    for (let frame = frameIn(left); frame; frame = frameIn(left)) {
      const { kind, payloadAt, end } = frame;
      if (end - payloadAt > SHORT) {
        this.#skipped = Math.max(0, end - left.length);
      } else {
        if (end > left.length) break;
        const payload = left.subarray(payloadAt, end);
        if (kind === PING) this.#send(PONG, payload);
        else if (kind === TEXT || kind === BINARY) this.emit("message", payload);
      }
      left = left.subarray(end);
    }
    return left;
  }
}

/** @returns what the frame is whose head is at the beginning; null where not even that is whole */
function frameIn(read: Buffer): Frame | null {
  const [first, size] = read;
  if (first === undefined || size === undefined) return null;
  const kind = first & 0x0f;
  if (size === IN_16_BITS) {
    if (read.length < 4) return null;
    return { kind, payloadAt: 4, end: 4 + read.readUInt16BE(2) };
  }
  if (size === IN_64_BITS) {
    if (read.length < 10) return null;
    return { kind, payloadAt: 10, end: 10 + Number(read.readBigUInt64BE(2)) };
  }
  return { kind, payloadAt: 2, end: 2 + size };
}
