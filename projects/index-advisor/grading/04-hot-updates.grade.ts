import type { Statement } from "../contract.ts";
import { build, expectEachPays, expectFewerBlocks, expectWellFormed } from "./advice.ts";
import { check, connected, digest, drawn, load, startAdvisor } from "./kit.ts";
import { blocksOf, workOf } from "./work.ts";

const ROWS = 40_000;
const OWNERS = 4_000;
/** Of the statements that write. One entry of an index is little; a million of them is not. */
const MANY = 1_000_000;
/** Of another log: ten writes for each read, of which each saves hundreds of times what a write pays. */
const [WRITES, READS] = [20_000, 2_000];
/** Enough to be seen beside the writes, and a twentieth at most of what an index would cost these. */
const FEW = 100;

export default check({
  title: "an index that costs the writes more than it saves the reads is not made",
  points: 4,
  concept: "write cost",
  traps: ["hot-updates-killed"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  dependsOn: ["helps"],
  hints: [
    "What does an index cost, every time that a row is written? And how often is one written here?",
    "An update is HOT only while no index contains a column that it changes; otherwise every index of the table gets a new entry. Charge each index what an INSERT, or an UPDATE of its columns, has to do for it, times their calls.",
  ],
  async run(t) {
    const [devices, log, journal] = Array.from({ length: 3 }, () => `public.${t.random.word()}`);
    const [score, owner, source] = [t.random.word(), t.random.word(), t.random.word()];
    const salt = t.random.int(1, 1e9);
    t.step("devices whose score changes all the time, and a log that is hardly ever read");
    await load(t, [
      // Half of each page is free: there is room for a row's next version beside it.
      `CREATE TABLE ${devices} (id int PRIMARY KEY, ${score} int NOT NULL, ${owner} int NOT NULL,
         note text NOT NULL) WITH (fillfactor = 50)`,
      `INSERT INTO ${devices} SELECT i, ${drawn(salt, 1_000_000)}, ${drawn(salt + 1, OWNERS)},
         repeat(${digest(salt + 2)}, 3) FROM generate_series(1, ${ROWS}) AS i`,
      ...[log, journal].flatMap((table) => [
        `CREATE TABLE ${table} (id bigint NOT NULL, ${source} text NOT NULL, line text NOT NULL)`,
        `INSERT INTO ${table} SELECT i, ${digest(salt + 3)}, repeat(${digest(salt + 4)}, 3)
           FROM generate_series(1, ${ROWS}) AS i`,
      ]),
    ]);
    await using target = await connected(t, "target");
    const { rows } = await target.query<{ source: string }>(
      `SELECT ${source} AS source FROM ${log} WHERE id = $1`,
      [t.random.int(1, ROWS)],
    );
    const update = (id: number) => `UPDATE ${devices} SET ${score} = ${score} + 1 WHERE id = ${id}`;
    const cold: Statement = {
      sql: `SELECT * FROM ${devices} WHERE ${owner} = ${t.random.int(0, OWNERS - 1)}`,
      calls: t.random.int(80_000, 120_000),
    };
    const found = (table = "") => `SELECT * FROM ${table} WHERE ${source} = '${rows[0]?.source}'`;
    const added = (table = "") =>
      `INSERT INTO ${table} VALUES (${ROWS + 1}, 'a new one', 'a line')`;
    const statements = t.random.shuffle<Statement>([
      cold,
      { sql: update(t.random.int(1, ROWS)), calls: MANY },
      // It is written now and then; that is no reason not to index it.
      { sql: `UPDATE ${devices} SET ${owner} = 7 WHERE id = ${t.random.int(1, ROWS)}`, calls: 5 },
      { sql: `SELECT * FROM ${devices} WHERE ${score} > ${999_970}`, calls: FEW },
      { sql: added(log), calls: MANY },
      { sql: found(log), calls: FEW },
      { sql: added(journal), calls: WRITES },
      { sql: found(journal), calls: READS },
    ]);

    const a = await startAdvisor(t);
    const advice = await a.advise({ statements });

    await expectWellFormed(t, advice, statements);
    const worth = [cold.sql, found(journal)];
    const before = await blocksOf(target, worth);
    const built = await build(t, target, advice.create);
    expectFewerBlocks(t, worth, before, await blocksOf(target, worth));
    let hot = 0;
    const ids = Array.from({ length: 20 }, () => t.random.int(1, ROWS));
    for (const id of ids) hot += (await workOf(target, update(id))).hot;
    t.equal(hot, ids.length, "updates that were HOT stay so (heap-only tuples, of 20)");
    await expectEachPays(t, target, built, statements);
  },
});
