/** The bytes of a change, and the columns in them. */

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** LEB128 numbers, and what they say the length of. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new Error("It ends too early.");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** LEB128, up to 2^53. */
  unsigned(): number {
    return this.#leb()[0];
  }

  signed(): number {
    const [value, weight, last] = this.#leb();
    return last & 0x40 ? value - weight : value;
  }

  hex(length = this.unsigned()): string {
    return Buffer.from(this.take(length)).toString("hex");
  }

  text(length = this.unsigned()): string {
    const bytes = this.take(length);
    const [first = 0] = bytes;
    return length === 1 && first < 0x80 ? String.fromCharCode(first) : utf8.decode(bytes);
  }

  #leb(): [value: number, weight: number, last: number] {
    let value = 0;
    let weight = 1;
    for (;;) {
      const byte = this.take(1)[0] as number;
      value += (byte & 0x7f) * weight;
      weight *= 0x80;
      if (value > Number.MAX_SAFE_INTEGER) throw new Error("It is too large.");
      if (byte < 0x80) return [value, weight, byte];
    }
  }
}

/** Runs of one value, of several values, and of nothing. */
export class Column<T> {
  readonly #reader: Reader;
  readonly #read: (reader: Reader) => T;
  #left = 0;
  /** What the run is of; undefined where each has its own. */
  #value: T | null | undefined;

  constructor(bytes: Uint8Array, read: (reader: Reader) => T) {
    this.#reader = new Reader(bytes);
    this.#read = read;
  }

  get isAtEnd(): boolean {
    return this.#left === 0 && this.#reader.isAtEnd;
  }

  /** Null as well where it has come to its end. */
  next(): T | null {
    while (this.#left === 0) {
      if (this.#reader.isAtEnd) return null;
      const count = this.#reader.signed();
      this.#left = count === 0 ? this.#reader.unsigned() : Math.abs(count);
      if (count > 0) this.#value = this.#read(this.#reader);
      else this.#value = count === 0 ? null : undefined;
    }
    this.#left -= 1;
    return this.#value === undefined ? this.#read(this.#reader) : this.#value;
  }
}

/** Each as the difference to the one before. */
export class Deltas {
  readonly #column: Column<number>;
  #sum = 0;

  constructor(bytes: Uint8Array) {
    this.#column = new Column(bytes, (reader) => reader.signed());
  }

  get isAtEnd(): boolean {
    return this.#column.isAtEnd;
  }

  next(): number | null {
    const delta = this.#column.next();
    if (delta === null) return null;
    this.#sum += delta;
    return this.#sum;
  }
}

/** How many are false, how many after them are true, and so on. */
export class Truths {
  readonly #reader: Reader;
  #left = 0;
  #value = true;

  constructor(bytes: Uint8Array) {
    this.#reader = new Reader(bytes);
  }

  get isAtEnd(): boolean {
    return this.#left === 0 && this.#reader.isAtEnd;
  }

  next(): boolean {
    while (this.#left === 0) {
      if (this.#reader.isAtEnd) return false;
      this.#left = this.#reader.unsigned();
      this.#value = !this.#value;
    }
    this.#left -= 1;
    return this.#value;
  }
}
