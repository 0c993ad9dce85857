/**
 * Changes that are yet to be merged, in one piece of memory: whoever collects garbage would copy thousands of
 * objects that live for seconds, and look at them again and again.
 */
import type { Actor, Change } from "../../contract.ts";

const LEAST_BYTES = 4_096;

export class Backlog {
  #bytes = new Uint8Array(LEAST_BYTES);
  /** Where the bytes of each end. */
  readonly #ends: number[] = [];
  readonly #seqs: number[] = [];
  /** Each one's index in `#actors`. */
  readonly #whose: number[] = [];
  readonly #actors: Actor[] = [];
  readonly #indexes = new Map<Actor, number>();

  get length(): number {
    return this.#ends.length;
  }

  add({ actor, seq, bytes }: Change): void {
    const begin = this.#end(this.length);
    const end = begin + bytes.length;
    if (end > this.#bytes.length) this.#resize(2 * end);
    this.#bytes.set(bytes, begin);
    this.#ends.push(end);
    this.#seqs.push(seq);
    this.#whose.push(this.#indexOf(actor));
  }

  /** The first ones, which are no longer here then. */
  take(most: number): Change[] {
    const count = Math.min(most, this.length);
    const changes: Change[] = [];
    for (let i = 0; i < count; i++) {
      const actor = this.#actors[this.#whose[i] ?? 0] ?? "";
      const bytes = this.#bytes.slice(this.#end(i), this.#end(i + 1));
      changes.push({ actor, seq: this.#seqs[i] ?? 0, bytes });
    }
    const taken = this.#end(count);
    this.#bytes.copyWithin(0, taken, this.#end(this.length));
    for (const numbers of [this.#ends, this.#seqs, this.#whose]) numbers.splice(0, count);
    for (let i = 0; i < this.length; i++) this.#ends[i] = (this.#ends[i] ?? 0) - taken;
    if (this.length === 0 && this.#bytes.length > LEAST_BYTES) this.#resize(LEAST_BYTES);
    return changes;
  }

  /** Leaves only the first ones. */
  truncate(length: number): void {
    for (const numbers of [this.#ends, this.#seqs, this.#whose]) numbers.length = length;
  }

  /** Where the bytes of the first `count` end. */
  #end(count: number): number {
    return count === 0 ? 0 : (this.#ends[count - 1] ?? 0);
  }

  #indexOf(actor: Actor): number {
    const known = this.#indexes.get(actor);
    if (known !== undefined) return known;
    const index = this.#actors.push(actor) - 1;
    this.#indexes.set(actor, index);
    return index;
  }

  #resize(length: number): void {
    const before = this.#bytes;
    this.#bytes = new Uint8Array(length);
    this.#bytes.set(before.subarray(0, Math.min(length, this.#end(this.length))));
  }
}
