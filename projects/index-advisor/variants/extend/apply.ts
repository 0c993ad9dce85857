/** Task 6: builds and drops on the target, one at a time, nobody's writes blocked, nothing half-done left. */
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import type { ApplyRequest, ApplyResult } from "../../contract.ts";
import { Built, type IndexBuild, parsedBuild } from "./builds.ts";
import { type Connection, type Deadline, explained, unavailable } from "./connections.ts";
import { dropped as drop, removed } from "./drops.ts";

/** Advisors of all nodes agree on this number: one of them builds at a time. */
const TURN = 7_302_611_804;
const POLL_MS = 50;

/** How long, beside the lock time-outs, `apply` goes on to remove what failed builds have left. */
const TIDYING_MS = 12_000;

export async function apply(
  target: Connection,
  request: ApplyRequest,
  deadline: Deadline,
): Promise<ApplyResult> {
  await turn(target, deadline);
  const began = performance.now();
  const tidyUntil = Math.min(
    began + 2 * request.lockTimeoutMs + TIDYING_MS,
    deadline.endsAt - deadline.totalMs / 10,
  );
  const built: string[] = [];
  const dropped: string[] = [];
  const failed: { name: string; why: string }[] = [];
  const leftOver: IndexBuild[] = [];
  for (const { name, sql } of request.create) {
    await reported(name, built, failed, async () => {
      const build = await parsedBuild(name, sql);
      const result = await new Built(target, build, request, tidyUntil, deadline).made();
      if (result.leftOver) leftOver.push(build);
      if (result.why) throw new Error(result.why);
    });
  }
  for (const { name } of request.drop) {
    await reported(name, dropped, failed, () => drop(target, name, request, tidyUntil));
  }
  for (const build of leftOver) await removed(target, build, tidyUntil);
  return { built, dropped, failed };
}

/** One that fails stops no other; a connection that breaks, or rights that lack, end the call. */
async function reported(
  name: string,
  done: string[],
  failed: { name: string; why: string }[],
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
    done.push(name);
  } catch (error) {
    if (error instanceof pg.DatabaseError) {
      const known = explained("target", error);
      if (known.code === "NO_PERMISSION") throw known;
    } else if (error instanceof Error && "code" in error) throw error;
    failed.push({ name, why: error instanceof Error ? error.message : String(error) });
  }
}

/**
 * Tried again and again rather than waited for: whoever waits in a statement has a snapshot, for which the
 * other one's concurrent build would wait in turn.
 */
async function turn(target: Connection, deadline: Deadline): Promise<void> {
  for (;;) {
    const [row] = await target.rows<{ mine: boolean }>("SELECT pg_try_advisory_lock($1) AS mine", [
      TURN,
    ]);
    if (row?.mine) return;
    if (deadline.past(0.8)) {
      throw unavailable("target", "another advisor has been building there all the time");
    }
    await pause(POLL_MS);
  }
}
