/**
 * Which shape a map or a text of Loro's belongs to. Each is named after the operation that made it, and this
 * goes by these names alone: where two actors have taken one id, one of both shapes can be seen, and a
 * change of the other one is sound all the same, in whatever order the two have come.
 */
import type { ContainerID } from "loro-crdt";
import type { Properties, ShapeId } from "../../contract.ts";
import type { Origin, Sees } from "./ledger.ts";

/** A shape that a change has added. */
export interface Made {
  readonly shape: ShapeId;
  readonly type: Properties["type"];
  readonly map: ContainerID;
  readonly text: ContainerID;
  readonly origin: Origin;
}

export class Containers {
  /** In the order in which they came. */
  readonly made: Made[] = [];
  /** Whether those are in it as well that another one hides, which has the same id. */
  isComplete = true;
  readonly #makerOf = new Map<ContainerID, Made>();
  readonly #shapes = new Map<ShapeId, Made[]>();

  constructor(made: readonly Made[] = []) {
    for (const one of made) this.add(one);
  }

  add(made: Made): void {
    if (this.#makerOf.has(made.map)) return;
    this.made.push(made);
    this.#makerOf.set(made.map, made);
    this.#makerOf.set(made.text, made);
    const known = this.#shapes.get(made.shape);
    if (known) known.push(made);
    else this.#shapes.set(made.shape, [made]);
  }

  /** The shape that a map or a text is of, if whoever touches it can know of it. */
  ownerOf(container: ContainerID, sees: Sees): ShapeId | undefined {
    const made = this.#makerOf.get(container);
    return made && sees(made.origin) ? made.shape : undefined;
  }

  /** Those of this id that somebody has seen. */
  seen(shape: ShapeId, sees: Sees): Made[] {
    return (this.#shapes.get(shape) ?? []).filter(({ origin }) => sees(origin));
  }
}

/** The counter of the operation that has made it. */
export function counterOf(container: ContainerID): number {
  return Number(container.slice("cid:".length, container.indexOf("@")));
}
