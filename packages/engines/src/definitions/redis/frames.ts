/** How long a value, and how many of one message, are worth remembering. */
const valueBytes = 80;
const valuesKept = 24;
/** A simple string or an error longer than this is remembered only so far. */
const lineBytes = 256;

/** A whole message of RESP 2 or 3, nested ones flattened. */
export interface Frame {
  readonly start: number;
  /** The first byte: what kind of message it is. */
  readonly kind: string;
  readonly values: readonly string[];
}

/** Members that follow the header of an aggregate, per counted one. */
const members: Readonly<Record<string, number>> = { "*": 1, "~": 1, ">": 1, "%": 2, "|": 2 };
const bulks = "$=!";
const CR = 13;
const LF = 10;

/** Cuts one direction of a connection into messages (redis.io/docs, "RESP protocol specification"). */
export class Frames {
  readonly #whole: (frame: Frame) => void;
  /** Of the byte that comes next. */
  #offset = 0;
  #start = 0;
  #kind = "";
  #values: string[] = [];
  /** Values that the message still lacks; none between two messages. */
  #lacking = 0;
  /** Bytes of a bulk value that are still to come, its end of line included. */
  #bulk = 0;
  #length = 0;
  #value: Buffer[] = [];
  #line = "";
  #lineStart = 0;

  constructor(whole: (frame: Frame) => void) {
    this.#whole = whole;
  }

  read(bytes: Buffer): void {
    const base = this.#offset;
    let at = 0;
    while (at < bytes.length) {
      if (this.#bulk > 0) {
        at = this.#readBulk(bytes, at);
        this.#offset = base + at;
        if (this.#bulk === 0) this.#bulkOver();
        continue;
      }
      if (this.#line === "") this.#lineStart = base + at;
      const end = bytes.indexOf(LF, at);
      const stop = end < 0 ? bytes.length : end;
      if (this.#line.length < lineBytes)
        this.#line += bytes.toString("latin1", at, Math.min(stop, at + lineBytes));
      at = end < 0 ? stop : end + 1;
      this.#offset = base + at;
      if (end >= 0) {
        const line = this.#line;
        this.#line = "";
        this.#header(line.charCodeAt(line.length - 1) === CR ? line.slice(0, -1) : line);
      }
    }
  }

  #readBulk(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#bulk);
    const had = this.#length + 2 - this.#bulk;
    const wanted = Math.min(this.#length, valueBytes) - had;
    if (wanted > 0 && this.#values.length < valuesKept) {
      const part = bytes.subarray(at, Math.min(end, at + wanted));
      // What must outlive this chunk must not keep all of it in memory.
      this.#value.push(end - at < this.#bulk ? Buffer.from(part) : part);
    }
    this.#bulk -= end - at;
    return end;
  }

  #bulkOver(): void {
    if (this.#values.length < valuesKept) {
      const [only, ...more] = this.#value;
      const text = (more.length > 0 ? Buffer.concat(this.#value) : only)?.toString() ?? "";
      this.#values.push(this.#length > valueBytes ? `${text}…` : text);
    }
    this.#value = [];
    this.#done(1);
  }

  #header(line: string): void {
    const kind = line.charAt(0);
    if (this.#lacking === 0) {
      if (line === "") return;
      this.#start = this.#lineStart;
      this.#kind = "";
      this.#values = [];
      this.#lacking = 1;
    }
    // An attribute precedes the message that it is about.
    if (this.#kind === "" && kind !== "|") this.#kind = kind;
    const each = members[kind];
    if (each === undefined && !bulks.includes(kind)) {
      this.#keep(kind === "+" || kind === ":" ? line.slice(1) : kind === "_" ? "(nil)" : line);
      this.#done(1);
      return;
    }
    const count = Number(line.slice(1));
    if (!Number.isInteger(count)) throw new Error(`"${line.slice(0, 20)}" is no header of RESP`);
    if (count < 0) {
      this.#keep("(nil)");
      this.#done(1);
    } else if (each === undefined) {
      this.#length = count;
      this.#bulk = count + 2;
    } else {
      this.#lacking += count * each;
      this.#done(kind === "|" ? 0 : 1);
    }
  }

  #keep(value: string): void {
    if (this.#values.length < valuesKept) this.#values.push(value);
  }

  #done(values: number): void {
    this.#lacking -= values;
    if (this.#lacking === 0)
      this.#whole({ start: this.#start, kind: this.#kind, values: this.#values });
  }
}
