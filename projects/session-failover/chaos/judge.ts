/**
 * Holds what clients saw against the contract. Sets are judged by `checkSet`: ids by what `get` and
 * writes say about them, devices by what `list` says. Versions, data and ends may not go back.
 *
 * All times are the clients': a write counts from its answer on, a read from when it was asked, so
 * whatever lies between is in favour of the submission.
 */
import { checkSet, type Operation, type SetOp } from "@db-katas/grading";
import {
  BUDGET_MS,
  FAIL_BACK_MS,
  SLACK_MS,
  SLOW_WRITE_MS,
  STALENESS_MS,
  TURNED_AWAY,
} from "./bounds.ts";
import { type Call, isWrite, latencyOf } from "./calls.ts";
import type { Happening } from "./driver.ts";
import { percentile } from "./percentile.ts";

export const anomalyKinds = {
  lost: "acknowledged, and not there",
  resurrected: "ended, and there again",
  phantom: "there, and written by nobody",
  stale: "older than what was acknowledged",
  "lost update": "acknowledged, and overwritten unseen",
  "over budget": "answered too late",
  "turned away": "refused while PostgreSQL lives",
  broken: "a crash, or an error that the contract doesn't know",
} as const;
export type AnomalyKind = keyof typeof anomalyKinds;

export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly text: string;
  /** The calls that prove it, by index, the last one being where it showed. */
  readonly calls: readonly number[];
}

export interface Judged {
  readonly calls: readonly Call[];
  readonly happenings: readonly Pick<Happening, "orderedAt" | "healedAt">[];
}

export function judge(run: Judged): Anomaly[] {
  return [...sets(run), ...versions(run), ...limits(run)].sort(
    (one, other) => (one.calls.at(-1) ?? 0) - (other.calls.at(-1) ?? 0),
  );
}

/**
 * Whether S is granted after a write: a node may have been cut off from Redis then, by a fault or by
 * a machine that was busy.
 */
function graced(write: Call, { happenings }: Judged): boolean {
  if (latencyOf(write) > SLOW_WRITE_MS) return true;
  return happenings.some(
    ({ orderedAt, healedAt }) =>
      write.settledAt > orderedAt && write.invokedAt < healedAt + FAIL_BACK_MS,
  );
}

/** Whether a read may miss a write for now. One's own node knows what it wrote. */
function mayMiss(read: Call, write: Call, run: Judged): boolean {
  if (read.settledAt <= write.invokedAt) return false;
  if (write.outcome === "unknown") {
    // It may still be under way behind its caller's back.
    return read.invokedAt < write.settledAt + BUDGET_MS + STALENESS_MS;
  }
  if (read.invokedAt < write.settledAt) return true;
  return (
    read.node !== write.node &&
    graced(write, run) &&
    read.invokedAt < write.settledAt + STALENESS_MS
  );
}

interface Element {
  readonly operations: Operation<SetOp>[];
  readonly writes: Call[];
  readonly reads: [Call, boolean][];
}

function sets(run: Judged): Anomaly[] {
  const ids = new Map<string, Element>();
  const devices = new Map<string, Element>();
  const usersOfIds = new Map<string, string>();
  const usersOfDevices = new Map<string, string>();
  const of = (map: Map<string, Element>, key: string): Element => {
    const element = map.get(key) ?? { operations: [], writes: [], reads: [] };
    map.set(key, element);
    return element;
  };
  const ends = (map: Map<string, Element>, key: string, call: Call) => {
    const element = of(map, key);
    element.operations.push(operation(call, "remove", key));
    if (call.outcome !== "fail") element.writes.push(call);
  };

  for (const call of run.calls) {
    const { op, session, device, id, userId } = call;
    if (op === "create" && device !== undefined) {
      const element = of(devices, device);
      element.operations.push(operation(call, "add", device));
      element.writes.push(call);
      usersOfDevices.set(device, userId);
    }
    if ((op === "create" || op === "rotate") && session) {
      const element = of(ids, session.id);
      element.operations.push(operation(call, "add", session.id));
      element.writes.push(call);
      usersOfIds.set(session.id, userId);
    }
    if (id === undefined) continue;
    if (op === "rotate" || op === "destroy") ends(ids, id, call);
    if (op === "destroy" && device !== undefined) ends(devices, device, call);
    if (op === "get" && call.outcome === "ok") of(ids, id).reads.push([call, session !== null]);
    // Other calls than get tell as well whether there is a session.
    else if (op !== "destroy" && (session || call.outcome === "fail")) {
      of(ids, id).reads.push([call, call.code !== "NOT_FOUND"]);
    }
  }
  for (const call of run.calls) {
    if (call.op === "destroyAll") {
      for (const [id, userId] of usersOfIds) if (userId === call.userId) ends(ids, id, call);
      for (const [device, userId] of usersOfDevices) {
        if (userId === call.userId) ends(devices, device, call);
      }
    }
    if (call.op !== "list" || !call.devices) continue;
    const seen = new Set(call.devices.map(({ device }) => device));
    for (const [device, userId] of usersOfDevices) {
      if (userId === call.userId) of(devices, device).reads.push([call, seen.has(device)]);
    }
    for (const device of seen) {
      if (usersOfDevices.get(device) !== call.userId) of(devices, device).reads.push([call, true]);
    }
  }
  return [
    ...judgeElements(ids, (id) => `session ${short(id)}`, run),
    ...judgeElements(devices, (device) => `${device} on its user's list of devices`, run),
  ];
}

function judgeElements(
  elements: ReadonlyMap<string, Element>,
  name: (key: string) => string,
  run: Judged,
): Anomaly[] {
  const anomalies: Anomaly[] = [];
  for (const [key, { operations, writes, reads }] of elements) {
    const judged = reads
      .filter(([read]) => !writes.some((write) => write !== read && mayMiss(read, write, run)))
      .map(([read, there]) => ({
        ...operation(read, "read", key),
        outcome: "ok" as const,
        result: there,
      }));
    const verdict = checkSet([...operations, ...judged]);
    const calls = verdict.counterexample.map(({ index }) => index);
    for (const kind of ["lost", "stale", "resurrected", "phantom"] as const) {
      if (verdict.anomalies[kind].length === 0) continue;
      anomalies.push({ kind, text: `${name(key)}: ${anomalyKinds[kind]}`, calls });
    }
  }
  return anomalies;
}

function operation(call: Call, op: SetOp, value: string): Operation<SetOp> {
  return {
    index: call.index,
    process: `${call.client}@${call.node}`,
    op,
    value,
    invokedAt: call.invokedAt,
    completedAt: call.outcome === "unknown" ? Number.POSITIVE_INFINITY : call.settledAt,
    outcome: call.outcome,
  };
}

function versions(run: Judged): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const byId = Map.groupBy(
    run.calls.filter(({ id, session }) => id !== undefined || session),
    (call) => call.id ?? call.session?.id ?? "",
  );
  for (const [id, calls] of byId) {
    const updates = calls.filter(({ op }) => op === "update");
    const won = new Map<number, Call>();
    for (const update of updates) {
      const { session, token } = update;
      if (!session) continue;
      const other = won.get(session.version);
      if (other && other.token !== token) {
        const text = `session ${short(id)}: version ${session.version} was acknowledged twice`;
        anomalies.push({ kind: "lost update", text, calls: [other.index, update.index] });
      }
      won.set(session.version, update);
    }
    const born = run.calls.find(({ op, session }) => op === "rotate" && session?.id === id);
    const history = born ? [born, ...calls] : calls;
    for (const read of calls) anomalies.push(...older(read, id, history, won, run));
  }
  return anomalies;
}

/** What one answer about a session says against the answers before it. */
function older(
  read: Call,
  id: string,
  calls: readonly Call[],
  won: ReadonlyMap<number, Call>,
  run: Judged,
): Anomaly[] {
  const { session, op } = read;
  const known = (write: Call) =>
    write !== read && write.outcome === "ok" && write.session && !mayMiss(read, write, run);
  const before = calls.filter((write) => write.settledAt < read.invokedAt && known(write));
  const update = before
    .filter(({ op }) => op === "update" || op === "rotate")
    .reduce<Call | undefined>(
      (newest, write) => (versionOf(write) >= versionOf(newest) ? write : newest),
      undefined,
    );
  const touch = before.filter((write) => write.op === "touch").at(-1);
  const anomaly = (kind: AnomalyKind, text: string, ...proof: (Call | undefined)[]): Anomaly => ({
    kind,
    text: `session ${short(id)}: ${text}`,
    calls: [...proof.flatMap((call) => call?.index ?? []), read.index],
  });
  if (!session) {
    const undecided = calls.some(
      (write) => isWrite(write) && write !== read && mayMiss(read, write, run),
    );
    return read.alone && read.code === "VERSION_CONFLICT" && !undecided
      ? [anomaly("stale", `version ${read.expectedVersion}, acknowledged last, is refused`, update)]
      : [];
  }
  const found: Anomaly[] = [];
  const least = Math.max(1, versionOf(update));
  if (session.version < least) {
    found.push(anomaly("stale", `version ${session.version} after ${least}`, update));
  }
  const winner = won.get(session.version);
  const token = session.data.token;
  if (op !== "update" && winner && winner.token !== token) {
    found.push(anomaly("lost update", `version ${session.version} is somebody else's`, winner));
  }
  if (session.data.version !== session.version) {
    found.push(anomaly("phantom", `version ${session.version} with other data than was written`));
  }
  const end = touch?.session?.expiresAt;
  if (end !== undefined && session.expiresAt < end - CLOCK_MS) {
    found.push(anomaly("stale", "ends before what the last touch said", touch));
  }
  return found;
}

function versionOf(write: Call | undefined): number {
  return write?.session?.version ?? 0;
}

/** How far the end of a session may vary between answers, in milliseconds. */
const CLOCK_MS = 250;

const knownCodes = ["NOT_FOUND", "VERSION_CONFLICT", "STORE_UNAVAILABLE", "TIMED_OUT"];

function limits({ calls, happenings }: Judged): Anomaly[] {
  const anomalies: Anomaly[] = [];
  for (const call of calls) {
    const { op, node, code, index } = call;
    const took = Math.round(latencyOf(call));
    if (took > BUDGET_MS + SLACK_MS) {
      const text = `${op} on ${node} took ${took} ms of ${BUDGET_MS}`;
      anomalies.push({ kind: "over budget", text, calls: [index] });
    }
    if (code !== undefined && !knownCodes.includes(code)) {
      anomalies.push({ kind: "broken", text: `${op} on ${node}: ${code}`, calls: [index] });
    }
  }
  const load = calls.filter(({ final }) => !final);
  const refused = load.filter(({ code }) => code === "STORE_UNAVAILABLE");
  if (refused.length > load.length * TURNED_AWAY && !tooBusy({ calls, happenings })) {
    const text = `${refused.length} of ${load.length} calls were refused`;
    anomalies.push({ kind: "turned away", text, calls: refused.map(({ index }) => index) });
  }
  return anomalies;
}

/**
 * Whether this machine was too busy to hold refusals against the submission: before any fault, calls
 * took most of their budget already, and refusing what can't be done in time is what they should do.
 */
export function tooBusy({ calls, happenings }: Judged): boolean {
  const begin = happenings[0]?.orderedAt ?? Number.POSITIVE_INFINITY;
  const calm = calls.filter(({ settledAt }) => settledAt < begin).map(latencyOf);
  return percentile(calm, 0.99) > BUDGET_MS / 2;
}

function short(id: string): string {
  return `${id.slice(0, 6)}…`;
}
