/** What this package knows about wire protocols in general; each engine's own is in its `wire.ts`. */

/** From an app node to its server, or back. */
export type Direction = "request" | "reply";

/** Where in a stream something begins that a gate may hold. */
export interface Mark {
  /** Bytes of that direction before it, since the connection began. */
  readonly at: number;
  /** On one line: the command or statement; of a reply, that which it answers. */
  readonly text: string;
}

/**
 * Follows both directions of one connection from its first byte. It never changes what it reads,
 * and what it throws ends the reading, not the connection.
 */
export interface WireReader {
  /** Reads on, wherever TCP has cut. @returns what begins, in the stream's order */
  read(direction: Direction, bytes: Buffer): readonly Mark[];
  /**
   * Where in the requests something begins of which only the next message tells what it is part
   * of; infinite when there is nothing of the kind.
   */
  readonly undecided: number;
}

/** Told of each message once it is complete. `answers` is what a reply replies to. */
export type Say = (direction: Direction, text: string, answers?: string) => void;

/** Begins to follow a connection. */
export type Wire = (say: Say) => WireReader;

/** On one line, without what a line has no use for, and no longer than `limit` characters. */
export function oneLine(text: string, limit: number): string {
  const line = /[\s\p{Cc}]/u.test(text) ? text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim() : text;
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}
