import type { NodeName } from "./types.ts";
import type { Direction } from "./wire.ts";

/** What one side said to the other, as a proxy heard it. */
export interface Utterance {
  /** When its last byte reached the proxy: milliseconds since the epoch, with fractions. */
  readonly at: number;
  readonly node: NodeName;
  /** The node's connections are counted from 1. */
  readonly connection: number;
  readonly direction: Direction;
  /** A command, a statement, or what came back; long values are cut, passwords left out. */
  readonly text: string;
  /** Of a reply, what it replies to. */
  readonly answers?: string;
}

const kept = 500;
const textLimit = 200;

/** The last messages of a lease, within a bound. */
export class Transcript {
  #said: Utterance[] = [];

  add(utterance: Omit<Utterance, "at" | "text" | "answers">, text: string, answers?: string): void {
    this.#said.push({
      at: performance.timeOrigin + performance.now(),
      ...utterance,
      text: cut(text),
      ...(answers === undefined ? {} : { answers: cut(answers) }),
    });
    // Now and then, rather than one by one.
    if (this.#said.length >= 2 * kept) this.#said = this.#said.slice(-kept);
  }

  of(node?: NodeName): readonly Utterance[] {
    return this.#said
      .slice(-kept)
      .filter((utterance) => node === undefined || utterance.node === node);
  }
}

/** `a#2 → GET session:7`, and `a#2 ← (nil)  (GET session:7)` */
export function formatUtterance(utterance: Utterance): string {
  const { node, connection, direction, text, answers } = utterance;
  const arrow = direction === "request" ? "→" : "←";
  return `${node}#${connection} ${arrow} ${text}${answers ? `  (${answers})` : ""}`;
}

function cut(text: string): string {
  return text.length > textLimit ? `${text.slice(0, textLimit - 1)}…` : text;
}
