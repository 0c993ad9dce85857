import { setTimeout as wait } from "node:timers/promises";
import type { Gate } from "@db-katas/engines";
import { SubmissionError } from "@db-katas/grading";
import type { Session, SessionNode } from "../contract.ts";
import { expectWithinBound, type SessionContext } from "./kit.ts";

/** More messages of one kind than one call has of its own; answers that poll would never run out. */
const MOST_MESSAGES = 6;
/** As many have a round in any case. */
const FIRST_MESSAGES = 3;
const NOTHING = /^nothing is held at first$/;
/** How long a call's unfinished business may take to begin once the call is over, in milliseconds. */
const AFTER_MS = 50;
/** After so long no further round begins: a busy machine must cost nobody a point. In milliseconds. */
const ENOUGH_MS = 2_500;
/** How long to wait for somebody who may be waiting for the one that is stopped, in milliseconds. */
const LOCKED_MS = 300;

export interface Place {
  readonly engine: "postgres" | "redis";
  readonly node: string;
  /** Default `request`. */
  readonly direction?: "request" | "reply";
  /** The message is lost and its connection breaks, instead of going on. */
  readonly lost?: boolean;
  /**
   * How often all of it is done. Default 1; more where a wrong answer does right when a store has a
   * slow moment, which on a busy machine happens once, but not each time.
   */
  readonly passes?: number;
}

/**
 * Stops `call` and does `meanwhile` before it goes on; where the call has no such message,
 * `meanwhile` comes after it.
 */
export type Interleave = <T, U>(
  call: () => Promise<T>,
  meanwhile: () => Promise<U>,
) => Promise<readonly [call: PromiseSettledResult<T>, meanwhile: PromiseSettledResult<U>]>;

/**
 * One round after another: a call is stopped before its first message at a place, in the next round
 * before its second, and so on until it has no more. So it doesn't matter what a submission says to
 * its stores, in which order, or whether it uses them at all. A round in which nothing is stopped
 * comes first: the first call of a kind has more to say, to prepare those that follow.
 * @param round begins with something fresh, calls `interleave` once, and judges
 */
export async function atEachMessage(
  t: SessionContext,
  { engine, node, direction = "request", lost = false, passes = 1 }: Place,
  round: (interleave: Interleave) => Promise<void>,
): Promise<void> {
  const at = async (nth: number): Promise<boolean> => {
    let reached = false;
    await round(async (call, meanwhile) => {
      using gate = t.hold(engine, {
        node,
        direction,
        match: nth > 0 ? /./ : NOTHING,
        nth: nth || 1,
      });
      const stopped = call();
      reached = await holds(gate, stopped);
      const other = meanwhile();
      await Promise.race([Promise.allSettled([other]), wait(LOCKED_MS)]);
      if (lost && reached) gate.drop();
      else gate.release();
      return Promise.allSettled([stopped, other]);
    });
    return reached;
  };
  await at(0);
  const end = performance.now() + ENOUGH_MS;
  for (let pass = 1; pass <= passes; pass += 1) {
    for (let nth = 1; nth <= MOST_MESSAGES && (await at(nth)); nth += 1) {
      if (nth >= FIRST_MESSAGES && performance.now() > end) return;
    }
  }
}

/** Whether the gate holds something before the call, and what it left to do, is over. */
async function holds(gate: Gate, call: Promise<unknown>): Promise<boolean> {
  const over = Promise.allSettled([call]).then(() => wait(AFTER_MS, false));
  return Promise.race([gate.held.then(() => true), over]);
}

/** What all nodes must see when a race is over, within S, and when they are asked again. */
export async function expectSettled(
  t: SessionContext,
  nodes: readonly SessionNode[],
  id: string,
  wanted: Pick<Session, "version" | "data"> | null,
  what: string,
): Promise<void> {
  await expectWithinBound(t, nodes, id, wanted, what, { again: 1 });
}

/**
 * What became of a call that was stopped. It may say `STORE_UNAVAILABLE`: nobody knows how long a
 * store that is held back will take.
 * @param codes what else it may be refused with
 * @returns its value, or undefined when it was refused
 */
export function resultOf<T>(
  t: SessionContext,
  outcome: PromiseSettledResult<T>,
  codes: readonly string[],
  what: string,
): T | undefined {
  if (outcome.status === "fulfilled") return outcome.value;
  const { reason } = outcome;
  if (!(reason instanceof SubmissionError)) throw reason;
  const allowed = ["STORE_UNAVAILABLE", ...codes];
  t.ok(reason.code !== undefined && allowed.includes(reason.code), what, {
    expected: `success, or ${allowed.join(" or ")}`,
    received: `an error with code ${reason.code ?? "(none)"}: ${reason.message}`,
  });
  return undefined;
}
