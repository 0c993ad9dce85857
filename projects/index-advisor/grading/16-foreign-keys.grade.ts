import type { Statement } from "../contract.ts";
import { build, expectWellFormed } from "./advice.ts";
import { check, connected, digest, drawn, load, startAdvisor } from "./kit.ts";
import { workOf } from "./work.ts";

const PARENTS = 2_000;
const CHILDREN = 50_000;
/** How many times fewer rows a deletion looks at. */
const FEWER = 5;

export default check({
  title: "a deletion is slow for what it sets off in other tables, and the index is made there",
  points: 3,
  concept: "evidence",
  traps: ["triggers-unseen"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  dependsOn: ["helps"],
  hints: [
    "The plan of a DELETE by primary key costs next to nothing. Why does it take milliseconds?",
    "A foreign key is checked by a trigger that looks for the row's children; no plan shows its cost, EXPLAIN (ANALYZE) tells its time. Propose the referencing columns of whatever refers to a table that is deleted from, and let the clock decide.",
  ],
  async run(t) {
    const [parents, lines, notes, kinds] = Array.from(
      { length: 4 },
      () => `public.${t.random.word()}`,
    );
    const [parent, origin] = [t.random.word(), t.random.word()];
    const salt = t.random.int(1, 1e9);
    t.step("two tables refer to a third one: what is deleted there takes rows of one along");
    await load(t, [
      `CREATE TABLE ${parents} (id int PRIMARY KEY, note text NOT NULL)`,
      `INSERT INTO ${parents} SELECT i, ${digest(salt)} FROM generate_series(1, ${PARENTS}) AS i`,
      `CREATE TABLE ${lines} (id int PRIMARY KEY, ${parent} int NOT NULL REFERENCES ${parents} ON DELETE CASCADE,
         note text NOT NULL)`,
      `INSERT INTO ${lines} SELECT i, 1 + ${drawn(salt + 1, PARENTS)}, repeat(${digest(salt + 2)}, 3)
         FROM generate_series(1, ${CHILDREN}) AS i`,
      `CREATE TABLE ${notes} (id int PRIMARY KEY, ${origin} int REFERENCES ${parents}, note text NOT NULL)`,
      // The last parents have none of these: they can be deleted.
      `INSERT INTO ${notes} SELECT i, 1 + ${drawn(salt + 3, PARENTS / 2)}, repeat(${digest(salt + 4)}, 3)
         FROM generate_series(1, ${CHILDREN}) AS i`,
      `CREATE TABLE ${kinds} (id int PRIMARY KEY, name text NOT NULL)`,
      `INSERT INTO ${kinds} SELECT i, 'kind ' || i FROM generate_series(1, 20) AS i`,
    ]);
    const id = t.random.int(PARENTS / 2 + 1, PARENTS);
    const deletion: Statement = { sql: `DELETE FROM ${parents} WHERE id = ${id}`, calls: 500 };
    const statements = t.random.shuffle<Statement>([
      deletion,
      { sql: `SELECT note FROM ${parents} WHERE id = ${id}`, calls: 2_000 },
      { sql: `SELECT name FROM ${kinds} WHERE id = 3`, calls: 2_000 },
      { sql: `UPDATE ${lines} SET note = 'new' WHERE id = 7`, calls: 300 },
    ]);

    const a = await startAdvisor(t);
    const advice = await a.advise({ statements });

    await expectWellFormed(t, advice, statements);
    await using target = await connected(t, "target");
    const looksAt = async (sql: string) => (await workOf(target, sql)).rows;
    const before = await looksAt(deletion.sql);
    const built = await build(t, target, advice.create);
    const after = await looksAt(deletion.sql);
    t.ok(after * FEWER <= before, "with the advised indexes a deletion looks at few rows", {
      expected: `at most ${Math.floor(before / FEWER)} rows instead of ${before}`,
      received: `${after}, with ${built.map(({ definition }) => definition).join("; ") || "no index"}`,
    });
    const position = statements.indexOf(deletion);
    for (const { name, evidence } of advice.create) {
      t.ok(
        evidence.some(({ statement }) => statement === position),
        "the evidence is the deletion, measured",
        { expected: deletion.sql, received: `${name}: ${JSON.stringify(evidence)}` },
      );
    }
  },
});
