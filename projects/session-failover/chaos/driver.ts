/**
 * Makes the events of a schedule happen, each while a write is provably under way: invoked before
 * the fault was ordered, and not answered when the fault had taken effect.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Lease } from "@db-katas/engines";
import { delay } from "@db-katas/engines/faults/delay";
import { type Call, isWrite, type Recorder } from "./calls.ts";
import { inject } from "./faults.ts";
import type { Load } from "./load.ts";
import { type ChaosEvent, nodesHit, type Schedule } from "./schedule.ts";

/** An event as it happened. Times are milliseconds since the run began. */
export interface Happening {
  readonly event: ChaosEvent;
  readonly nodes: readonly string[];
  /** When the fault was ordered. */
  readonly orderedAt: number;
  /** When it was in effect. */
  readonly effectiveAt: number;
  readonly healedAt: number;
  /** From when until when the node's packets were held back, to have its write under way. */
  readonly heldFrom: number;
  readonly heldUntil: number;
  /** Writes, by index, that were under way on the nodes hit from the order to the effect. */
  readonly overlapped: readonly number[];
}

export interface Stage {
  readonly schedule: Schedule;
  readonly redis: Lease;
  readonly postgres: Lease;
  readonly recorder: Recorder;
  readonly load: Load;
}

const TRIES = 25;
/** Long enough for an answer that had left before its node's packets were held back, in milliseconds. */
const ON_ITS_WAY_MS = 4;
/** Longer than any fault takes to inject, in milliseconds. */
const HOLD_MS = 30_000;
/** How long a stuck submission is waited for to answer the calls that an event asks for, in milliseconds. */
const STUCK_MS = 4_000;

export async function makeHappen(stage: Stage): Promise<Happening[]> {
  const happenings: Happening[] = [];
  for (const event of stage.schedule.events) {
    await answered(stage.recorder, stage.recorder.settled + event.afterCalls);
    happenings.push(await oneEvent(stage, event));
  }
  return happenings;
}

async function oneEvent(stage: Stage, event: ChaosEvent): Promise<Happening> {
  const { recorder, redis, schedule } = stage;
  const nodes = nodesHit(event, schedule);
  await using held = await underWay(stage, event);
  const orderedAt = recorder.now();
  const active = await inject(redis, event);
  const effectiveAt = recorder.now();
  const overlapped = overlapping(recorder.calls, nodes, orderedAt, effectiveAt);
  await held.letGo();
  const heldUntil = recorder.now();
  if (event.fault !== "resetConnections") await wait(event.healAfterMs);
  await active.heal();
  return {
    event,
    nodes,
    orderedAt,
    effectiveAt,
    healedAt: recorder.now(),
    heldFrom: held.since,
    heldUntil,
    overlapped: overlapped.map(({ index }) => index),
  };
}

/** Writes on those nodes that were invoked before `from` and not answered by `until`. */
export function overlapping(
  calls: readonly Call[],
  nodes: readonly string[],
  from: number,
  until: number,
): Call[] {
  return calls.filter(
    (call) =>
      isWrite(call) && nodes.includes(call.node) && call.invokedAt < from && call.settledAt > until,
  );
}

interface Held extends AsyncDisposable {
  readonly since: number;
  letGo(): Promise<void>;
}

/**
 * Has the write of an event made, and then holds back whatever its node sends to or gets from a
 * store. What has no answer by then gets none before this is let go.
 */
async function underWay({ load, recorder, redis, postgres }: Stage, event: ChaosEvent) {
  for (let left = TRIES; ; left--) {
    const call = await load.want(event.write, event.node);
    // Some submissions are done sooner than the schedule says: the last tries start at once.
    const intoMs = event.intoWriteMs * Math.max(0, (left - TRIES / 2) / (TRIES / 2));
    if (intoMs >= 1) await wait(intoMs);
    if (left > 0 && !open(call)) continue;
    const since = recorder.now();
    const options = { nodes: [event.node], ms: HOLD_MS };
    const holds = await Promise.all([
      redis.inject(delay, options),
      postgres.inject(delay, options),
    ]);
    const letGo = async () => {
      await Promise.all(holds.map((hold) => hold.heal()));
    };
    await wait(ON_ITS_WAY_MS);
    if (left === 0 || open(call)) {
      return { since, letGo, [Symbol.asyncDispose]: letGo } satisfies Held;
    }
    await letGo();
  }
}

function open(call: Call): boolean {
  return call.settledAt === Number.POSITIVE_INFINITY;
}

/** Waits until so many calls were answered; not for ever, as a submission may answer none. */
async function answered(recorder: Recorder, count: number): Promise<void> {
  const end = recorder.now() + STUCK_MS;
  while (recorder.settled < count && recorder.now() < end) await wait(1);
}
