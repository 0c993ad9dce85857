import { resetConnections } from "@db-katas/engines/faults/resetConnections";
import { SubmissionError } from "@db-katas/grading";
import type pg from "pg";
import {
  APPLY_MS,
  LOCK_MS,
  STATEMENT_MS,
  slowFunction,
  stateOf,
  untilBuilding,
  whilePending,
} from "./builds.ts";
import { check, connected, load, startAdvisor } from "./kit.ts";

/** How long somebody's transaction stays open, in milliseconds. */
const OPEN_MS = LOCK_MS * 4;
/** So many rows, at 10 ms each, make a build slow. */
const SLOW_ROWS = 150;
/** Of a server that goes on building for somebody who is gone, and of a call that begins anew. */
const RECOVERY_MS = 20_000;

export default check({
  title: "a drop that has to wait, and a build that breaks off, are ended or said to be open",
  points: 3,
  concept: "safe builds",
  traps: ["drop-given-up", "blocks-writes", "invalid-left-over", "forgets-quotes"],
  engines: { target: { faults: [resetConnections] }, scratch: {} },
  nodes: ["a", "b"],
  hints: [
    "DROP INDEX CONCURRENTLY first takes the index out of use, then waits for whoever may still read it. What is it when your lock time-out fires between the two?",
    "A drop that has begun has to be finished, without lock_timeout: it blocks nobody. A connection that broke says nothing about the index: reject with TARGET_UNAVAILABLE, and let the next call look what is there.",
  ],
  async run(t) {
    const { random } = t;
    const schema = `${random.word(5)} ${random.word(3).toUpperCase()}`;
    const [table, slow, old, early, next, late] = Array.from(
      { length: 6 },
      () => `${random.word(6).toUpperCase()} ${random.int(10, 99)}`,
    );
    const full = (name: string | undefined) => `"${schema}"."${name}"`;
    await load(t, [
      `CREATE SCHEMA "${schema}"`,
      `CREATE TABLE ${full(table)} (id int PRIMARY KEY, n int NOT NULL)`,
      `INSERT INTO ${full(table)} SELECT i, i % 100 FROM generate_series(1, 3000) AS i`,
      `CREATE INDEX "${old}" ON ${full(table)} (n)`,
      `CREATE TABLE ${full(slow)} (id int PRIMARY KEY)`,
      `INSERT INTO ${full(slow)} SELECT i FROM generate_series(1, ${SLOW_ROWS}) AS i`,
      slowFunction(full("slowly")),
    ]);
    await using target = await connected(t, "target");
    const a = await startAdvisor(t);
    const limits = { lockTimeoutMs: LOCK_MS, statementTimeoutMs: STATEMENT_MS };

    t.step(
      "somebody reads a table for longer than a lock may be waited for, and its index is to go",
    );
    await using reader = await connected(t, "target");
    await reader.query(`BEGIN; SELECT count(*) FROM ${full(table)}`);
    const name = `${schema}.${old}`;
    const dropping = t.within(
      OPEN_MS + APPLY_MS,
      () => a.apply({ ...limits, create: [], drop: [{ name }] }),
      "apply() ends once the reader has",
    );
    const began = performance.now();
    let isOpen = true;
    await whilePending(dropping, async () => {
      const { rowCount } = await target.query(
        "SELECT FROM pg_locks WHERE relation = to_regclass($1) AND mode = 'AccessExclusiveLock'",
        [full(table)],
      );
      t.equal(rowCount, 0, "nobody asks for a lock that would keep all readers waiting");
      if (!isOpen || performance.now() - began < OPEN_MS) return;
      isOpen = false;
      await reader.query("COMMIT");
    });
    const { outcome } = await dropping;
    if (outcome.status === "rejected") throw outcome.reason;
    const { dropped, failed } = outcome.value;
    t.equal(
      [...dropped, ...failed.map((failure) => failure.name)],
      [name],
      "it is dropped, or could not be",
    );
    t.equal(
      await stateOf(target, full(old)),
      dropped.length === 1 ? "absent" : "valid",
      "what was dropped is gone, and what could not be dropped is as it was",
    );
    if (isOpen) await reader.query("COMMIT");
    if (failed.length > 0) {
      t.step("nobody reads any more");
      const again = await a.apply({ ...limits, create: [], drop: [{ name }] });
      t.equal(again.dropped, [name], "then it can be dropped");
    }

    const slowIndex = (index = "") => ({
      name: index,
      sql: `CREATE INDEX CONCURRENTLY "${index}" ON ${full(slow)} (${full("slowly")}(id), id)`,
    });
    t.step("two are built, and somebody else applies the first of them meanwhile");
    const b = await startAdvisor(t, "b");
    const two = [slowIndex(early), slowIndex(next)];
    const order = two.map(({ name }) => name);
    const begun = a.apply({ ...limits, create: two, drop: [] });
    begun.catch(() => {});
    await untilBuilding(target, full(slow), begun);
    const first = await oidOf(target, full(early));
    const also = b.apply({ ...limits, create: two.slice(0, 1), drop: [] });
    also.catch(() => {});
    await whilePending(begun, async () => {
      const { rowCount } = await target.query(
        "SELECT FROM pg_stat_progress_create_index WHERE relid = to_regclass($1)",
        [full(slow)],
      );
      t.ok((rowCount ?? 0) <= 1, "indexes are built one after the other", {
        expected: "one build at a time",
        received: `${rowCount} at once`,
      });
    });
    t.equal((await begun).built, order, "both are built, in the order of the request");
    await also;
    t.equal(await oidOf(target, full(early)), first, "what is being built is no left-over");

    t.step("the connection breaks while an index is built");
    const create = [
      {
        name: late ?? "",
        sql: `CREATE INDEX CONCURRENTLY "${late}" ON ${full(slow)} (${full("slowly")}(id))`,
      },
    ];
    const building = a.apply({ ...limits, create, drop: [] });
    building.catch(() => {});
    await untilBuilding(target, full(slow), building);
    await t.inject("target", resetConnections, { nodes: ["a"] });
    const [broken] = await Promise.allSettled([building]);
    if (broken.status === "rejected") {
      if (!(broken.reason instanceof SubmissionError)) throw broken.reason;
      t.equal(broken.reason.code, "TARGET_UNAVAILABLE", "the error says what was lost");
    } else {
      t.equal(broken.value.failed, [], "an index whose fate is unknown has not failed");
    }
    await t.eventually(
      RECOVERY_MS,
      () => a.apply({ ...limits, create, drop: [] }),
      ({ built }) => built.length === 1,
      "the next call builds what the first one has begun",
      `"${late}" among the built`,
    );
    t.equal(await stateOf(target, full(late)), "valid", "the index is there, and valid");
  },
});

async function oidOf(client: pg.Client, index: string): Promise<string | undefined> {
  const { rows } = await client.query<{ oid: string }>("SELECT to_regclass($1)::oid::text AS oid", [
    index,
  ]);
  return rows[0]?.oid;
}
