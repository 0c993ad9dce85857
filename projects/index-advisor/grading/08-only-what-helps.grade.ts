import type { Statement } from "../contract.ts";
import { build, expectEachPays, expectFewerBlocks, expectWellFormed } from "./advice.ts";
import { check, connected, digest, drawn, load, startAdvisor } from "./kit.ts";
import { blocksOf, medianMs } from "./work.ts";

const ROWS = 40_000;
const OWNERS = 4_000;
/** Fewer than the LIMIT: who looks for them in order has to look at all rows. */
const OVERSPENT = 6;
const LIMIT = 20;
/** Of a statement that makes up most of the workload, in milliseconds per call. */
const SLEEP_MS = 40;
/** Rows that a statement finds by its primary key, each of them alone. */
const KEYS = 100;
/** How much the advice's figures may differ from the grader's own, either way. */
const FACTOR = 8;
/** Added to both, for what is too quick to be measured well, in milliseconds. */
const SLACK_MS = 1;

export default check({
  title: "what the planner likes and a clock does not is not made, and figures are measured",
  points: 4,
  concept: "evidence",
  traps: ["believes-the-planner"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  dependsOn: ["helps"],
  timing: true,
  hints: [
    "Two columns compared with each other: how many rows does the planner expect, and how many are there? What if it then walks through an index until it has enough of them?",
    "Build what you have chosen on the copy and run the statements, several times, without and with it. What didn't become faster is rejected, and beforeMs and afterMs are the medians of these runs, in milliseconds; a plan's cost is in no unit of time.",
  ],
  async run(t) {
    const [tasks, lines, quietly] = Array.from({ length: 3 }, () => `public.${t.random.word()}`);
    const [ref, net, gross] = Array.from({ length: 3 }, () => t.random.word());
    const [owner, due, spent, granted] = Array.from({ length: 4 }, () => t.random.word());
    const salt = t.random.int(1, 1e9);
    t.step("hardly any task has spent more than it was granted; the planner expects a third");
    await load(t, [
      `CREATE TABLE ${tasks} (id int PRIMARY KEY, ${owner} int NOT NULL, ${due} timestamptz NOT NULL,
         ${spent} int NOT NULL, ${granted} int NOT NULL, note text NOT NULL,
         ${ref} int NOT NULL, ${net} int NOT NULL, ${gross} int NOT NULL)`,
      `INSERT INTO ${tasks} SELECT i, ${drawn(salt, OWNERS)},
         timestamptz '2025-01-01 00:00Z' + ${drawn(salt + 1, 31_536_000)} * interval '1 second',
         ${drawn(salt + 2, 500)} + CASE WHEN i % ${Math.floor(ROWS / OVERSPENT)} = 7 THEN 2000 ELSE 0 END,
         ${drawn(salt + 3, 500)} + 500, repeat(${digest(salt + 4)}, 3),
         ${drawn(salt + 5, ROWS)}, ${drawn(salt + 6, 2000)}, ${drawn(salt + 6, 2000)}
         FROM generate_series(1, ${ROWS}) AS i`,
      `CREATE TABLE ${lines} (id int PRIMARY KEY, ${ref} int NOT NULL, note text NOT NULL)`,
      `INSERT INTO ${lines} SELECT i, ${drawn(salt + 7, ROWS)}, repeat(${digest(salt + 8)}, 3)
         FROM generate_series(1, ${ROWS}) AS i`,
      // What it costs the planner can't know, and what it takes is no matter of any index.
      `CREATE FUNCTION ${quietly}(int) RETURNS int STABLE LANGUAGE plpgsql AS $$
         BEGIN PERFORM pg_sleep(${SLEEP_MS / 1_000}); RETURN $1; END $$`,
    ]);
    const helped: Statement = {
      sql: `SELECT * FROM ${tasks} WHERE ${owner} = ${t.random.int(0, OWNERS - 1)}`,
      calls: 2_000,
    };
    const liked: Statement = {
      sql: `SELECT * FROM ${tasks} WHERE ${spent} > ${granted} ORDER BY ${due} LIMIT ${LIMIT}`,
      calls: 400,
    };
    // All tasks fit, where the planner expects eight: so many rows are looked up one by one, if they can be.
    const joined: Statement = {
      sql: `SELECT count(l.note) FROM ${tasks} AS k JOIN ${lines} AS l ON l.${ref} = k.${ref} WHERE k.${net} = k.${gross} AND k.${net} + 0 = k.${gross}`,
      calls: 200,
    };
    const rare: Statement = {
      sql: `SELECT * FROM ${lines} WHERE ${ref} = ${t.random.int(0, ROWS - 1)}`,
      calls: 5,
    };
    const slept: Statement = {
      sql: `SELECT ${quietly}(id) FROM ${tasks} WHERE id = 5`,
      calls: 4_000,
    };
    // What indexes there are already, it takes no time to speak of.
    const keyed: Statement = {
      sql: `SELECT k.id, (SELECT l.note FROM ${lines} AS l WHERE l.id = k.id + 1) FROM ${tasks} AS k WHERE k.id <= ${KEYS}`,
      calls: 20_000,
    };
    const statements = t.random.shuffle([helped, liked, joined, rare, slept, keyed]);

    const a = await startAdvisor(t);
    const advice = await a.advise({ statements });

    await expectWellFormed(t, advice, statements);
    await using target = await connected(t, "target");
    const texts = statements.map(({ sql }) => sql);
    const blocks = await blocksOf(target, [helped.sql]);
    const before = await medianMs(target, texts);
    const built = await build(t, target, advice.create);
    expectFewerBlocks(t, [helped.sql], blocks, await blocksOf(target, [helped.sql]));
    await expectEachPays(
      t,
      target,
      built,
      statements.filter((each) => each !== keyed),
    );
    const after = await medianMs(target, texts);
    const alike = (said: number, found: number) =>
      Math.abs(Math.log((said + SLACK_MS) / (found + SLACK_MS))) <= Math.log(FACTOR);
    for (const { statement, beforeMs, afterMs } of advice.create.flatMap((each) => each.evidence)) {
      const [was = 0, is = 0] = [before[statement], after[statement]];
      t.ok(alike(beforeMs, was) && alike(afterMs, is), "evidence is what a clock says", {
        expected: `about ${was.toFixed(2)} ms before and ${is.toFixed(2)} ms after`,
        received: `${beforeMs} and ${afterMs} for ${texts[statement]}`,
      });
    }
    const total = (ms: readonly number[]) =>
      statements.reduce((sum, { calls }, index) => sum + calls * (ms[index] ?? 0), 0);
    const mean = (ms: number) => ms / statements.reduce((sum, { calls }) => sum + calls, 0);
    for (const [name, said, found] of [
      ["beforeMs", advice.beforeMs, total(before)],
      ["afterMs", advice.afterMs, total(after)],
    ] as const) {
      t.ok(alike(mean(said), mean(found)), "the workload's figures are sums of what a clock says", {
        expected: `${name} about ${found.toFixed(0)} (calls × milliseconds per call)`,
        received: String(said),
      });
    }
  },
});
