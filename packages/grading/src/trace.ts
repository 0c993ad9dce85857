import { inspect } from "node:util";

/** What happened during a check, for whoever has to understand its failure. */
export interface TraceEvent {
  /** Milliseconds since the check began. */
  readonly atMs: number;
  readonly kind: "step" | "call" | "fault" | "heal" | "gate";
  /** For a call, the app node. */
  readonly node?: string | undefined;
  /** For a fault, its heal and a gate, the engine. */
  readonly engine?: string | undefined;
  readonly text: string;
  /**
   * How long a call took, or a fault was in force, in milliseconds; undefined while under way, and
   * for what has no length.
   */
  readonly tookMs?: number | undefined;
  /** Of a call: it ended with an error. */
  readonly threw?: boolean | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const KEPT = 1_000;

/** Keeps the last {@link KEPT} events of a check. */
export class Trace {
  readonly #events: TraceEvent[] = [];
  readonly #begin = performance.now();
  #dropped = 0;

  get events(): readonly TraceEvent[] {
    return this.#events;
  }

  /** How many calls are no longer among the events. */
  get dropped(): number {
    return this.#dropped;
  }

  step(text: string): void {
    this.#push({ atMs: this.#now(), kind: "step", text });
  }

  /**
   * Records a fault that is about to be injected.
   * @returns to be called when it is healed; more than once is harmless
   */
  fault(engine: string, name: string, options = ""): () => void {
    const text = `${engine}: ${name}${options}`;
    const event: Mutable<TraceEvent> = { atMs: this.#now(), kind: "fault", engine, text };
    this.#push(event);
    return () => {
      if (event.tookMs !== undefined) return;
      const atMs = this.#now();
      event.tookMs = atMs - event.atMs;
      this.#push({ atMs, kind: "heal", engine, text: `${engine}: ${name} is over` });
    };
  }

  /** Records what became of a gate. */
  gate(engine: string, text: string): void {
    this.#push({ atMs: this.#now(), kind: "gate", engine, text: `${engine}: ${text}` });
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
      event.threw = true;
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
    this.#dropped++;
  }
}

/** A value on one line of at most `width` characters. */
export function brief(value: unknown, width = 140): string {
  const text = inspect(value, { breakLength: Number.POSITIVE_INFINITY, compact: true, depth: 4 });
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

/**
 * The last `lines` of a trace that tell something: the same call with the same outcome again and
 * again is one line, unless a step or a fault lies between; these are kept however long ago they were.
 */
export function tellingEvents(events: readonly TraceEvent[], lines: number): string[] {
  const folded: { event: TraceEvent; times: number }[] = [];
  for (const event of events) {
    const since = folded.findLastIndex(({ event: other }) => other.kind !== "call") + 1;
    const recent = folded.slice(Math.max(since, folded.length - 4));
    const same = recent.findLast(({ event: other }) => other.node === event.node);
    if (event.kind === "call" && same?.event.text === event.text) same.times++;
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
  const call = event.kind === "call";
  // How long a fault lasted is told by its heal.
  const took = !call || event.tookMs === undefined ? "" : `  (${event.tookMs.toFixed(0)} ms)`;
  const open = call && event.tookMs === undefined ? " → no answer yet" : "";
  const who = call ? (event.node ?? "") : `[${event.kind}]`;
  return `${event.atMs.toFixed(0).padStart(7)} ms  ${who.padEnd(7)} ${event.text}${open}${took}`;
}
