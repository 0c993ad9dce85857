/**
 * A chaos run as data: which faults, when, and over which load. A schedule is drawn from a seed, can
 * be printed, kept in a file, edited by hand and run again.
 *
 * It fixes what the run decides, not what the operating system and the submission decide: the same
 * schedule is the same experiment, and not the same interleaving.
 */
import { readFile } from "node:fs/promises";
import { type Random, randomFrom, seedFor } from "@db-katas/grading";
import { z } from "zod";
import { ChaosError } from "./errors.ts";

/** Faults of the server hit every node; the others hit the nodes that the event names. */
export const serverFaults = ["kill", "stop", "pause", "replace"] as const;
export const networkFaults = ["blackHole", "resetConnections", "delay"] as const;
/** The calls that change something: one of them is under way whenever a fault begins. */
export const writes = ["create", "update", "touch", "rotate", "destroy", "destroyAll"] as const;
export type WriteName = (typeof writes)[number];

const ms = z.int().min(0).max(60_000);

const eventSchema = z.strictObject({
  engine: z.literal("redis"),
  fault: z.enum([...serverFaults, ...networkFaults]),
  /** App nodes whose connections it hits; for network faults only. */
  nodes: z.array(z.string()).min(1).optional(),
  /** Added in each direction, in milliseconds; for `delay` only. */
  delayMs: ms.optional(),
  /** So many calls are answered first, counted from the end of the event before. */
  afterCalls: z.int().min(0).max(100_000),
  /** This write is under way on this node when the fault begins … */
  write: z.enum(writes),
  node: z.string(),
  /** … and was invoked so many milliseconds before; less when it would be over by then. */
  intoWriteMs: ms,
  /** How long the fault lasts, in milliseconds. */
  healAfterMs: ms,
});

export const scheduleSchema = z
  .strictObject({
    seed: z.int().min(0),
    nodes: z.array(z.string()).min(2),
    /** What the network adds in each direction, in milliseconds: nodes are not next to their stores. */
    network: z.strictObject({ redisMs: ms, postgresMs: ms }),
    load: z.strictObject({
      clients: z.int().min(1).max(64),
      /** How long the load goes on after the last fault, in milliseconds. */
      settleMs: ms,
    }),
    events: z.array(eventSchema),
  })
  .superRefine(({ nodes, events }, context) => {
    for (const [index, event] of events.entries()) {
      const named = [event.node, ...(event.nodes ?? [])];
      const stranger = named.find((node) => !nodes.includes(node));
      const message = stranger
        ? `there is no node ${stranger}`
        : event.nodes && !isNetworkFault(event.fault)
          ? `${event.fault} hits the server, so it takes no nodes`
          : event.nodes && !event.nodes.includes(event.node)
            ? `the write on node ${event.node} would not meet the fault`
            : (event.delayMs !== undefined) !== (event.fault === "delay")
              ? "delayMs belongs to delay, and to nothing else"
              : undefined;
      if (message) context.addIssue({ code: "custom", path: ["events", index], message });
    }
  });

export type Schedule = z.infer<typeof scheduleSchema>;
export type ChaosEvent = Schedule["events"][number];

export function isNetworkFault(fault: ChaosEvent["fault"]): boolean {
  return (networkFaults as readonly string[]).includes(fault);
}

/** The nodes that an event hits. */
export function nodesHit(event: ChaosEvent, { nodes }: Schedule): readonly string[] {
  return event.nodes ?? nodes;
}

const NODES = ["a", "b"];
/** Long enough that whoever waits for a hanging Redis overruns budget and slack, in milliseconds. */
const HANGS_MS = [900, 1_200] as const;
const DOWN_MS = [80, 500] as const;

/** A schedule of one to three faults, at least one of which takes Redis away. */
export function scheduleFrom(seed: number): Schedule {
  // Neighbouring seeds of this generator begin alike; hashed ones do not.
  const random = randomFrom(seedFor(seed, "schedule"));
  const between = ([least, most]: readonly [number, number]) => random.int(least, most);
  const outages = ["kill", "kill", "stop", "replace", "pause", "pause", "blackHole"] as const;
  const disturbances = ["resetConnections", "delay", ...outages] as const;
  const faults = random.shuffle([
    random.pick(outages),
    ...Array.from({ length: random.int(0, 2) }, () => random.pick(disturbances)),
  ]);
  return {
    seed,
    nodes: NODES,
    network: { redisMs: random.int(0, 2), postgresMs: random.int(0, 4) },
    load: { clients: random.int(4, 6), settleMs: 400 },
    events: faults.map((fault, index) => {
      const node = random.pick(NODES);
      const hangs = fault === "pause" || fault === "blackHole";
      return {
        engine: "redis",
        fault,
        ...(isNetworkFault(fault) && { nodes: affected(random, node) }),
        ...(fault === "delay" && { delayMs: random.pick([20, 60, 400]) }),
        afterCalls: index === 0 ? random.int(100, 160) : random.int(20, 100),
        write: random.pick(writes),
        node,
        intoWriteMs: random.int(0, 15),
        healAfterMs: between(hangs ? HANGS_MS : DOWN_MS),
      };
    }),
  };
}

/** Mostly one node alone: what hits all alike is the simpler case. */
function affected(random: Random, node: string): string[] {
  return random.int(1, 4) === 1 ? [...NODES] : [node];
}

/** @throws ChaosError `SCHEDULE_INVALID` */
export function parseSchedule(text: string, source: string): Schedule {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw invalid(source, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const parsed = scheduleSchema.safeParse(raw);
  if (!parsed.success) throw invalid(source, z.prettifyError(parsed.error));
  return parsed.data;
}

/** @throws ChaosError `SCHEDULE_INVALID` */
export async function readSchedule(file: string): Promise<Schedule> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw invalid(file, "it can't be read", cause);
  });
  return parseSchedule(text, file);
}

function invalid(source: string, what: string, cause?: unknown): ChaosError {
  return new ChaosError("SCHEDULE_INVALID", `${source} is no schedule: ${what}`, {
    likelyCause: "it was edited by hand, or written by another version",
    remedy:
      "pnpm --filter @db-katas/session-failover chaos --print --seed 1   prints one to start from",
    cause,
  });
}

/** `kill under a's update after 120 calls, for 300 ms` */
export function describeEvent(event: ChaosEvent): string {
  const where = event.nodes ? ` of ${event.nodes.join(" and ")}` : "";
  const by = event.delayMs === undefined ? "" : ` by ${event.delayMs} ms`;
  const lasting = event.fault === "resetConnections" ? "" : `, for ${event.healAfterMs} ms`;
  return (
    `${event.fault}${where}${by} under ${event.node}'s ${event.write} ` +
    `after ${event.afterCalls} calls${lasting}`
  );
}
