/** A value of which the newest is kept. */
import type { Actor } from "../../contract.ts";

/** A change has a higher number than all that its actor had seen (Lamport, 1978). */
export interface Stamp {
  readonly lamport: number;
  readonly actor: Actor;
}

export function newer(a: Stamp, b: Stamp): boolean {
  return a.lamport > b.lamport || (a.lamport === b.lamport && a.actor > b.actor);
}

export class Register<T> {
  value: T;
  /** Of the change that the value comes from, which may have been put back by a later one. */
  tag: string;
  #stamp: Stamp;

  constructor(value: T, tag: string, stamp: Stamp) {
    this.value = value;
    this.tag = tag;
    this.#stamp = stamp;
  }

  set(value: T, tag: string, stamp: Stamp): void {
    if (newer(this.#stamp, stamp)) return;
    this.value = value;
    this.tag = tag;
    this.#stamp = stamp;
  }
}
