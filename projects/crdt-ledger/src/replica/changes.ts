/** The changes that took effect here one by one, in that order: each is after those that it had seen. */
import type { Actor, Change, Version } from "../../contract.ts";
import { seqIn } from "../model.ts";

export class Changes {
  readonly #all: Change[] = [];
  readonly #known = new Map<string, Change>();

  get length(): number {
    return this.#all.length;
  }

  add(change: Change): void {
    this.#all.push(change);
    this.#known.set(nameOf(change), change);
  }

  /** What came under the same number. */
  find(change: Change): Change | undefined {
    return this.#known.get(nameOf(change));
  }

  /** Forgets those after the first ones. */
  truncate(length: number): void {
    for (const change of this.#all.splice(length)) this.#known.delete(nameOf(change));
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
