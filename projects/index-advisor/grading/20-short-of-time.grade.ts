import type { Statement } from "../contract.ts";
import { build, expectFewerBlocks, expectWellFormed } from "./advice.ts";
import { check, connected, digest, drawn, load, startAdvisor } from "./kit.ts";
import { SLACK_MS } from "./refusals.ts";
import { blocksOf } from "./work.ts";

const ROWS = 40_000;
const KEYS = 4_000;
/** What the node is told that a call may take, in milliseconds. */
const SHORT_MS = 20_000;
/** So often each of the templates is in the workload, with other constants. */
const EACH = 8;
const REPORTS = 4;
/** What one of the reports takes, with whatever indexes: all of them once take twice what a call may. */
const REPORT_MS = 1_300;

export default check({
  title: "where the workload takes longer than the call may, what matters most is advised in time",
  points: 2,
  concept: "bad input",
  traps: ["runs-all-of-it"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  dependsOn: ["helps"],
  timing: true,
  hints: [
    "Forty statements, and time to run fifteen of them once. Which ones do you have to run?",
    "EXPLAIN tells what to begin with, before anything has run: calls × cost, summed over the statements that differ in constants only. Keep an eye on the clock at each step, and answer with the best that you have measured by then.",
  ],
  async run(t) {
    const { random } = t;
    const salt = random.int(1, 1e9);
    const [events, people, slowly] = Array.from({ length: 3 }, () => `public.${random.word()}`);
    const [key, pad] = [random.word(), random.word()];
    await load(t, [
      `CREATE TABLE ${events} (id int PRIMARY KEY, ${key} int NOT NULL, ${pad} text NOT NULL)`,
      `INSERT INTO ${events} SELECT i, ${drawn(salt, KEYS)}, repeat(${digest(salt + 1)}, 4) FROM generate_series(1, ${ROWS}) AS i`,
      `CREATE TABLE ${people} (id int PRIMARY KEY, ${Array.from({ length: REPORTS }, (_, at) => `c${at} int NOT NULL`).join(", ")})`,
      `INSERT INTO ${people} SELECT i, ${Array.from({ length: REPORTS }, (_, at) => drawn(salt + 2 + at, 100)).join(", ")} FROM generate_series(1, 200) AS i`,
      `CREATE FUNCTION ${slowly}(bigint) RETURNS bigint STABLE LANGUAGE plpgsql AS $$
         BEGIN PERFORM pg_sleep(${REPORT_MS / 1_000}); RETURN $1; END $$`,
    ]);
    const matters = Array.from(
      { length: EACH },
      (): Statement => ({
        sql: `SELECT ${pad} FROM ${events} WHERE ${key} = ${random.int(0, KEYS - 1)}`,
        calls: random.int(400, 600),
      }),
    );
    const reports = Array.from(
      { length: REPORTS * EACH },
      (_, at): Statement => ({
        sql: `SELECT ${slowly}(count(*)) FROM ${people} WHERE c${at % REPORTS} = ${random.int(0, 99)}`,
        calls: random.int(1, 3),
      }),
    );
    const statements = random.shuffle([...matters, ...reports]);
    const a = await startAdvisor(t, "a", SHORT_MS);

    const { outcome } = await t.within(
      SHORT_MS + SLACK_MS,
      () => a.advise({ statements }),
      "a call ends in its time, however much there is to do",
    );
    if (outcome.status === "rejected") throw outcome.reason;
    const advice = outcome.value;
    await expectWellFormed(t, advice, statements);
    await using target = await connected(t, "target");
    const texts = matters.map(({ sql }) => sql);
    const before = await blocksOf(target, texts);
    await build(t, target, advice.create);
    expectFewerBlocks(t, texts, before, await blocksOf(target, texts));
  },
});
