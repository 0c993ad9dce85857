/**
 * How the grader and an app node's process talk: two pipes, one for each direction. Node's own IPC
 * channel trusts its peer (a malformed message on it ends the receiver), and the peer is a
 * submission.
 *
 * A frame is a length of four bytes, in answers a MAC, and a value as structured clone writes it.
 * Nothing in here may be imported by the grader only: app nodes run these files as they are.
 */
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { writeSync } from "node:fs";
import { deserialize, serialize } from "node:v8";

/** File descriptors in the app node's process. */
export const REQUESTS_FD = 3;
export const ANSWERS_FD = 4;
export const KEY_BYTES = 32;
const MAC_BYTES = 32;
const LENGTH_BYTES = 4;
/** Far above what any check asks for. Without a bound, a length alone would make the reader hoard. */
const FRAME_BYTES_MAX = 64 << 20;

export type Operation = "load" | "skew" | "migrate" | "createNode" | "call";

export interface Request {
  readonly id: number;
  readonly operation: Operation;
  readonly args: readonly unknown[];
}

/** Errors are values on the wire, so that what a submission threw is never mistaken for ours. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: RemoteError };

export interface RemoteError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
  readonly stack?: string | undefined;
}

export interface Answer {
  readonly id: number;
  readonly outcome: Outcome;
}

export function encodeRequest(request: Request): Buffer {
  const body = serialize(request);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(body.length);
  return Buffer.concat([length, body]);
}

/** Cuts a stream of bytes into frames. */
export class Frames {
  #pending: Buffer = Buffer.alloc(0);

  /** @throws RangeError when a frame says that it is larger than any */
  *take(bytes: Buffer): Generator<Buffer> {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (this.#pending.length >= LENGTH_BYTES) {
      const length = this.#pending.readUInt32LE();
      if (length > FRAME_BYTES_MAX) throw new RangeError(`a frame of ${length} bytes`);
      if (this.#pending.length < LENGTH_BYTES + length) return;
      const frame = this.#pending.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
      this.#pending = this.#pending.subarray(LENGTH_BYTES + length);
      yield frame;
    }
  }
}

/**
 * Writes answers that only the holder of the key can write, each once and in order. Everything
 * that it calls is captured here, before a submission could replace it.
 * @returns how to send; it blocks while the pipe is full
 */
export function answerWriter(key: Buffer): (answer: Answer) => void {
  // A key object keeps its bytes outside of the JavaScript heap, and out of snapshots of it.
  const secret = createSecretKey(key);
  key.fill(0);
  const macOf = macFunction(secret);
  const write = writeSync;
  const toBytes = serialize;
  const allocate = Buffer.alloc;
  const uncurry = <A extends unknown[], R>(method: (...args: A) => R) =>
    Function.prototype.call.bind(method) as unknown as (self: unknown, ...args: A) => R;
  const setLength = uncurry(Buffer.prototype.writeUInt32LE);
  const set = uncurry(Uint8Array.prototype.set);
  let sent = 0;
  return (answer) => {
    const body = toBytes(answer);
    const mac = macOf(sent, body);
    sent += 1;
    const frame = allocate(LENGTH_BYTES + MAC_BYTES + body.length);
    setLength(frame, MAC_BYTES + body.length, 0);
    set(frame, mac, LENGTH_BYTES);
    set(frame, body, LENGTH_BYTES + MAC_BYTES);
    for (let at = 0; at < frame.length; ) at += write(ANSWERS_FD, frame, at);
  };
}

/** The other end. */
export class AnswerReader {
  readonly #frames = new Frames();
  readonly #macOf: (index: number, body: Uint8Array) => Buffer;
  #received = 0;

  constructor(key: Buffer) {
    this.#macOf = macFunction(createSecretKey(key));
  }

  /** @throws Error when the bytes are not the next answers of who holds the key */
  *take(bytes: Buffer): Generator<Answer> {
    for (const frame of this.#frames.take(bytes)) {
      const body = frame.subarray(MAC_BYTES);
      const expected = this.#macOf(this.#received, body);
      if (!expected.equals(frame.subarray(0, MAC_BYTES))) throw new Error("not signed");
      this.#received += 1;
      yield deserialize(body) as Answer;
    }
  }
}

/** HMAC-SHA256 over an answer and its place in the sequence. */
function macFunction(key: KeyObject): (index: number, body: Uint8Array) => Buffer {
  const create = createHmac;
  const proto = Object.getPrototypeOf(create("sha256", key));
  const uncurry = (method: unknown) => Function.prototype.call.bind(method as () => unknown);
  const update = uncurry(proto.update) as unknown as (self: unknown, data: unknown) => unknown;
  const digest = uncurry(proto.digest) as unknown as (self: unknown) => Buffer;
  return (index, body) => {
    const hmac = create("sha256", key);
    update(hmac, `${index} `);
    update(hmac, body);
    return digest(hmac);
  };
}
