/** Of a message's body so much is read. */
const bodyBytes = 4_096;

export interface Frame {
  readonly start: number;
  /** The message's type; "" for one that has none, as a connection's first. */
  readonly type: string;
  /** The body's beginning; valid only until the callback returns. */
  readonly body: Buffer;
}

/**
 * Cuts one direction of a connection into messages (PostgreSQL manual, "Message Formats"): a type
 * and a length that counts itself; what comes first from a client has no type.
 */
export class Frames {
  /** Whether the next message has a type. */
  typed: boolean;
  readonly #whole: (frame: Frame) => void;
  readonly #header = Buffer.alloc(5);
  /** Bytes of the header that are there. */
  #have = 0;
  #offset = 0;
  #start = 0;
  #type = "";
  #left = 0;
  #inBody = false;
  #body: Buffer[] = [];
  #bodyLength = 0;

  constructor(typed: boolean, whole: (frame: Frame) => void) {
    this.typed = typed;
    this.#whole = whole;
  }

  /** Bytes that are no message, as the answer to a request for encryption. */
  skip(count: number): void {
    this.#offset += count;
  }

  read(bytes: Buffer): void {
    const base = this.#offset;
    let at = 0;
    while (at < bytes.length) {
      if (!this.#inBody) {
        if (this.#have === 0) this.#start = base + at;
        const size = this.typed ? 5 : 4;
        const part = Math.min(size - this.#have, bytes.length - at);
        bytes.copy(this.#header, this.#have, at, at + part);
        this.#have += part;
        at += part;
        if (this.#have < size) break;
        this.#begin(size);
      }
      const end = Math.min(bytes.length, at + this.#left);
      const room = Math.max(0, bodyBytes - this.#bodyLength);
      const part = bytes.subarray(at, Math.min(end, at + room));
      this.#left -= end - at;
      at = end;
      if (this.#left > 0 || this.#body.length > 0) {
        this.#body.push(Buffer.from(part));
        this.#bodyLength += part.length;
      }
      if (this.#left > 0) break;
      this.#offset = base + at;
      this.#over(this.#body.length > 0 ? Buffer.concat(this.#body) : part);
    }
    this.#offset = base + bytes.length;
  }

  #begin(size: number): void {
    this.#type = size === 5 ? String.fromCharCode(this.#header[0] ?? 0) : "";
    const length = this.#header.readInt32BE(size - 4);
    if (length < 4) throw new Error(`a message of length ${length} is no message of PostgreSQL's`);
    this.#have = 0;
    this.#left = length - 4;
    this.#inBody = true;
  }

  #over(body: Buffer): void {
    this.#inBody = false;
    this.#body = [];
    this.#bodyLength = 0;
    this.#whole({ start: this.#start, type: this.#type, body });
  }
}

/** Reads a body field by field; what lies beyond its end is empty. */
export class Fields {
  readonly #body: Buffer;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  get over(): boolean {
    return this.#at >= this.#body.length;
  }

  text(): string {
    const end = this.#body.indexOf(0, this.#at);
    const stop = end < 0 ? this.#body.length : end;
    const text = this.#body.toString("utf8", this.#at, stop);
    this.#at = stop + 1;
    return text;
  }

  int16(): number {
    this.#at += 2;
    return this.#at <= this.#body.length ? this.#body.readInt16BE(this.#at - 2) : 0;
  }

  int32(): number {
    this.#at += 4;
    return this.#at <= this.#body.length ? this.#body.readInt32BE(this.#at - 4) : 0;
  }

  bytes(count: number): Buffer {
    const bytes = this.#body.subarray(this.#at, this.#at + count);
    this.#at += count;
    return bytes;
  }
}
