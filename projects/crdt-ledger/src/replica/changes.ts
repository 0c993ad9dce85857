/** The changes that took effect here one by one, in that order: each is after those that it had seen. */
import type { Actor, Change, Version } from "../../contract.ts";
import { seqIn } from "../model.ts";

export class Changes {
  readonly #all: Change[] = [];
  /** The counters of their first operations. */
  readonly #from: number[] = [];
  readonly #known = new Map<string, Change>();

  get length(): number {
    return this.#all.length;
  }

  /** @param from the counter of its first operation */
  add(change: Change, from: number): void {
    this.#all.push(change);
    this.#from.push(from);
    this.#known.set(nameOf(change), change);
  }

  /** What came under the same number. */
  find(change: Change): Change | undefined {
    return this.#known.get(nameOf(change));
  }

  /** Forgets those after the first ones, the last one first. @param forgotten told of each */
  truncate(length: number, forgotten: (change: Change, from: number) => void): void {
    while (this.#all.length > length) {
      const [change, from] = [this.#all.pop() as Change, this.#from.pop() as number];
      this.#known.delete(nameOf(change));
      forgotten(change, from);
    }
  }

  /** Forgets all of them: somebody else has them. */
  clear(): void {
    this.#all.length = 0;
    this.#from.length = 0;
    this.#known.clear();
  }

  /** Those that `version` lacks; undefined where some of what `here` counts is not here one by one. */
  since(version: Version, here: ReadonlyMap<Actor, number>): Change[] | undefined {
    const found = this.#all.filter(({ actor, seq }) => seq > seqIn(version, actor));
    let wanted = 0;
    for (const [actor, seq] of here) wanted += Math.max(0, seq - seqIn(version, actor));
    return found.length === wanted ? found : undefined;
  }
}

const nameOf = ({ actor, seq }: Change) => `${actor}:${seq}`;
