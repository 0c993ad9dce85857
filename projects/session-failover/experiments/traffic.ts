/** What a call costs the stores, in messages: counted on the wire, where nobody can forget one. */
import type { Lease } from "@db-katas/engines";
import { MAX_KEYS } from "../src/redis/read-batch.ts";
import { type Finding, STALENESS_MS, type Stage } from "./stage.ts";

const CALLS = 50;
const WATCH_MS = 4_000;

export async function traffic({ node, redis, postgres, ids }: Stage): Promise<Finding> {
  const rows: string[][] = [];
  let holds = true;
  const expectAtMost = (what: string, counted: number, most: number): void => {
    rows.push([what, counted.toFixed(2), most.toFixed(2)]);
    holds &&= counted <= most;
  };
  const id = ids[0] ?? "";
  await node.get(id);

  const reads = await count(redis, async () => {
    for (let i = 0; i < CALLS; i++) await node.get(id);
  });
  expectAtMost("Redis: commands a read", reads / CALLS, 1);
  const together = await count(redis, async () => {
    await Promise.all(ids.slice(0, CALLS).map((one) => node.get(one)));
  });
  expectAtMost(`Redis: commands for ${CALLS} reads at once`, together, Math.ceil(CALLS / MAX_KEYS));

  let version = (await node.get(id))?.version ?? 0;
  const write = async (): Promise<void> => {
    for (let i = 0; i < CALLS; i++) {
      ({ version } = await node.update(id, { data: { i }, expectedVersion: version }));
    }
  };
  // A server learns each script once.
  await write();
  expectAtMost("Redis: commands a write", (await count(redis, write)) / CALLS, 2);
  // Reads of the epoch come on top, one per S/2 at most.
  expectAtMost("PostgreSQL: statements a write", (await count(postgres, write)) / CALLS, 1.1);

  const from = performance.now();
  const refreshes = await count(postgres, async () => {
    while (performance.now() - from < WATCH_MS) await node.get(id);
  });
  const seconds = (performance.now() - from) / 1_000;
  expectAtMost(
    "PostgreSQL: statements a second, reads only",
    refreshes / seconds,
    2_000 / STALENESS_MS + 1 / seconds,
  );
  return {
    claim:
      "A read costs one command, a write two commands and a statement; the epoch is read once per S/2.",
    holds,
    head: ["counted on the wire", "counted", "at most"],
    rows,
  };
}

/** Requests that went over the wire meanwhile. */
async function count(lease: Lease, work: () => Promise<unknown>): Promise<number> {
  const from = performance.timeOrigin + performance.now();
  await work();
  const said = lease
    .transcript()
    .filter(({ at, direction }) => at >= from && direction === "request");
  return said.length;
}
