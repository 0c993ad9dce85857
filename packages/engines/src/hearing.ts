import { Barrier, type WireGate } from "./gate.ts";
import type { Transcript } from "./transcript.ts";
import type { NodeName } from "./types.ts";
import type { Direction, Wire, WireReader } from "./wire.ts";

/** Who follows the messages of a lease. */
export interface Audience {
  readonly wire: Wire;
  readonly transcript: Transcript;
  readonly gates: ReadonlySet<WireGate>;
}

/** Where in a chunk of bytes to stop, and what must open before what follows may go on. */
export interface Stop {
  readonly at: number;
  readonly barrier: Barrier;
}

const nowhere: readonly Stop[] = [];

/** Follows what is said on one connection, and says where it has to stop. */
export class Hearing {
  readonly #audience: Audience;
  readonly #node: NodeName;
  readonly #connection: number;
  readonly #barrier: () => Barrier;
  readonly #heard = { request: 0, reply: 0 };
  #reader: WireReader | undefined;
  /** Holds what may turn out to be the beginning of a message that a gate wants. */
  #doubt: { readonly at: number; readonly barrier: Barrier } | undefined;

  /** @param link what happens to the connection when a barrier opens, or breaks it */
  constructor(
    audience: Audience,
    node: NodeName,
    connection: number,
    link: { ship(): void; reset(): void },
  ) {
    this.#audience = audience;
    this.#node = node;
    this.#connection = connection;
    this.#barrier = () =>
      new Barrier(
        () => link.ship(),
        () => link.reset(),
      );
    this.#reader = audience.wire((direction, text, answers) =>
      audience.transcript.add({ node, connection, direction }, text, answers),
    );
  }

  /** To be told of every byte, in order. @returns stops, in order */
  hear(direction: Direction, bytes: Buffer): readonly Stop[] {
    const { gates } = this.#audience;
    const begin = this.#heard[direction];
    this.#heard[direction] += bytes.length;
    const marks = this.#read(direction, bytes);
    const doubt = direction === "request" ? this.#doubt : undefined;
    if (gates.size === 0 && !doubt) return nowhere;

    const stops: Stop[] = [];
    // What of a message is gone already can't be held: the rest of it is.
    const stop = (at: number) => {
      const barrier = this.#barrier();
      stops.push({ at: Math.max(0, at - begin), barrier });
      return barrier;
    };
    for (const { at, text } of marks) {
      const message = { node: this.#node, connection: this.#connection, direction, text };
      const takers = [...gates].filter((gate) => gate.wants(message));
      if (takers.length === 0) continue;
      const barrier = doubt?.at === at ? doubt.barrier : stop(at);
      for (const gate of takers) gate.take(message, barrier);
    }
    if (direction === "request") this.#settleDoubt(stop);
    return stops;
  }

  #settleDoubt(stop: (at: number) => Barrier): void {
    const at = this.#reader?.undecided ?? Number.POSITIVE_INFINITY;
    if (this.#doubt?.at === at) return;
    this.#doubt?.barrier.release(this);
    this.#doubt = undefined;
    if (this.#audience.gates.size === 0 || at === Number.POSITIVE_INFINITY) return;
    const barrier = stop(at);
    barrier.hold(this);
    this.#doubt = { at, barrier };
  }

  #read(direction: Direction, bytes: Buffer) {
    try {
      return this.#reader?.read(direction, bytes) ?? [];
    } catch (error) {
      this.#reader = undefined;
      this.#audience.transcript.add(
        { node: this.#node, connection: this.#connection, direction },
        `(what follows can't be read: ${(error as Error).message})`,
      );
      return [];
    }
  }
}
