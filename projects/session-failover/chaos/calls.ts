/** What clients did and what they were told, on the clock of the run. */
import { SubmissionCrashed, SubmissionError, SubmissionTimedOut } from "@db-katas/grading";
import type { Device, Session, SessionNode } from "../contract.ts";
import type { WriteName } from "./schedule.ts";

export type CallName = WriteName | "get" | "list";

/** What a call is about, as far as the client knows when it makes it. */
export interface Subject {
  readonly userId: string;
  readonly id?: string;
  readonly device?: string;
  /** For `update`: the version that it starts from, and the name of what it writes. */
  readonly expectedVersion?: number;
  readonly token?: string;
  /** For `update`: nobody else writes, and all that was written was acknowledged. */
  readonly alone?: boolean;
  /** After the load, when all is quiet. */
  readonly final?: boolean;
}

export interface Call extends Subject {
  readonly index: number;
  readonly client: string;
  readonly node: string;
  readonly op: CallName;
  /** Milliseconds since the run began. */
  readonly invokedAt: number;
  /** Milliseconds since the run began; Infinity while open. */
  settledAt: number;
  /** `fail`: it certainly did not happen. `unknown`: it may have happened, and may still. */
  outcome: "ok" | "fail" | "unknown";
  /** The code of the error; `TIMED_OUT` and `CRASHED` are the grader's words. */
  code?: string;
  session?: Session | null;
  devices?: readonly Device[];
}

/** An answer as good as any other: it says for certain that nothing was done. */
const definite = ["NOT_FOUND", "VERSION_CONFLICT"];

export class Recorder {
  readonly calls: Call[] = [];
  /** How many have been answered. */
  settled = 0;
  readonly #begin = performance.now();

  /** Milliseconds since the run began. */
  now(): number {
    return performance.now() - this.#begin;
  }

  /** Makes a call and records it. Never rejects: errors are part of the record. */
  start<T>(
    who: { client: string; node: string; op: CallName } & Subject,
    run: () => Promise<T>,
  ): { call: Call; done: Promise<Call> } {
    const call: Call = {
      ...who,
      index: this.calls.length,
      invokedAt: this.now(),
      settledAt: Number.POSITIVE_INFINITY,
      outcome: "unknown",
    };
    this.calls.push(call);
    return { call, done: this.#settle(call, run) };
  }

  async #settle<T>(call: Call, run: () => Promise<T>): Promise<Call> {
    try {
      const value = await run();
      call.outcome = "ok";
      if (call.op === "list") call.devices = value as readonly Device[];
      else if (call.op !== "destroy" && call.op !== "destroyAll") {
        call.session = value as Session | null;
      }
    } catch (error) {
      call.code = codeOf(error);
      if (definite.includes(call.code)) call.outcome = "fail";
    }
    call.settledAt = this.now();
    this.settled += 1;
    return call;
  }
}

function codeOf(error: unknown): string {
  if (error instanceof SubmissionError) return error.code ?? error.message;
  if (error instanceof SubmissionTimedOut) return "TIMED_OUT";
  if (error instanceof SubmissionCrashed) return "CRASHED";
  throw error;
}

export type Nodes = ReadonlyMap<string, SessionNode>;

export function isWrite({ op }: Pick<Call, "op">): boolean {
  return op !== "get" && op !== "list";
}

/** How long the caller waited, in milliseconds. */
export function latencyOf({ invokedAt, settledAt }: Call): number {
  return settledAt - invokedAt;
}

/** One line for people: `  12.3 –   15.0 ms  c1 on a  update  → ok, version 2`. */
export function formatCall(call: Call): string {
  const time = (ms: number) => (Number.isFinite(ms) ? ms.toFixed(1) : "…").padStart(8);
  const { session, devices, code, outcome, op } = call;
  const told =
    code ??
    (session
      ? `version ${session.version}`
      : devices
        ? `${devices.length} devices`
        : op === "get" && outcome === "ok"
          ? "null"
          : "");
  const about = call.id ? ` ${call.id.slice(0, 6)}…` : "";
  return (
    `${time(call.invokedAt)} –${time(call.settledAt)} ms  ${call.client} on ${call.node}  ` +
    `${op}${about} → ${outcome}${told ? `, ${told}` : ""}`
  );
}
