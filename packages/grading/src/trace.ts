import { inspect } from "node:util";

/** What happened during a check, for whoever has to understand its failure. */
export interface TraceEvent {
  /** Milliseconds since the check began. */
  readonly atMs: number;
  readonly kind: "step" | "call" | "fault" | "heal";
  /** For a call, the app node. */
  readonly node?: string;
  readonly text: string;
  /** How long it took, in milliseconds; undefined while under way. */
  readonly tookMs?: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const KEPT = 400;

/** Keeps the last few hundred events of a check. */
export class Trace {
  readonly #events: TraceEvent[] = [];
  readonly #begin = performance.now();

  get events(): readonly TraceEvent[] {
    return this.#events;
  }

  add(kind: TraceEvent["kind"], text: string, node?: string): void {
    this.#push({ atMs: this.#now(), kind, text, ...(node === undefined ? {} : { node }) });
  }

  /** Records a call when it begins, and its outcome when it settles. */
  async call<T>(node: string, text: string, run: () => Promise<T>): Promise<T> {
    const event: Mutable<TraceEvent> = { atMs: this.#now(), kind: "call", node, text };
    this.#push(event);
    const close = (outcome: string) => {
      event.text = `${text} → ${outcome}`;
      event.tookMs = this.#now() - event.atMs;
    };
    try {
      const result = await run();
      close(brief(result, 90));
      return result;
    } catch (error) {
      const code = (error as { code?: string }).code;
      close(`threw ${code ?? ""} ${error instanceof Error ? error.message : error}`);
      throw error;
    }
  }

  #now(): number {
    return performance.now() - this.#begin;
  }

  #push(event: TraceEvent): void {
    this.#events.push(event);
    if (this.#events.length <= KEPT) return;
    // Steps and faults say where one is; of calls there are many.
    const oldest = this.#events.findIndex(({ kind }) => kind === "call");
    this.#events.splice(Math.max(oldest, 0), 1);
  }
}

/** A value on one line of at most `width` characters. */
export function brief(value: unknown, width = 140): string {
  const text = inspect(value, { breakLength: Number.POSITIVE_INFINITY, compact: true, depth: 4 });
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

/**
 * The last `lines` of a trace that tell something: the same call with the same outcome again and
 * again is one line, and steps and faults are kept however long ago they were.
 */
export function tellingEvents(events: readonly TraceEvent[], lines: number): string[] {
  const folded: { event: TraceEvent; times: number }[] = [];
  for (const event of events) {
    const same = folded.findLast(({ event: other }) => other.node === event.node);
    const recent = folded.slice(-4).includes(same as (typeof folded)[0]);
    if (event.kind === "call" && same?.event.text === event.text && recent) same.times++;
    else folded.push({ event, times: 1 });
  }
  const calls = folded.filter(({ event }) => event.kind === "call");
  const marks = folded.length - calls.length;
  const kept = new Set(calls.slice(-Math.max(lines - marks, Math.ceil(lines / 2))));
  return folded
    .filter((entry) => entry.event.kind !== "call" || kept.has(entry))
    .map(({ event, times }) => `${formatEvent(event)}${times > 1 ? `  ×${times}` : ""}`);
}

/** `   1204 ms  a  get('x') → null  (3 ms)` */
export function formatEvent(event: TraceEvent): string {
  const took = event.tookMs === undefined ? "" : `  (${event.tookMs.toFixed(0)} ms)`;
  const open = event.kind === "call" && event.tookMs === undefined ? " → no answer yet" : "";
  const who = event.kind === "call" ? (event.node ?? "") : `[${event.kind}]`;
  return `${event.atMs.toFixed(0).padStart(7)} ms  ${who.padEnd(7)} ${event.text}${open}${took}`;
}
