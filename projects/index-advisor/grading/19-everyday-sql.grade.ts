import type { Statement } from "../contract.ts";
import { build, expectFewerBlocks, expectWellFormed } from "./advice.ts";
import { check, connected, digest, drawn, load, startAdvisor } from "./kit.ts";
import { blocksOf } from "./work.ts";

const ROWS = 8_000;
/** With two rows each, on average. */
const VALUES = 4_000;
const FEW = 100;
/** Of the partitioned table. */
const PARTS = 3;

export default check({
  title: "statements may have any shape that people write, and what is not served is skipped",
  points: 5,
  concept: "sargability",
  traps: ["looks-at-little"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  dependsOn: ["helps"],
  hints: [
    "In how many places of a statement may a column stand by which rows are found? In which of these do you look?",
    "A subquery's column, USING, a row of columns, what an UPDATE has FROM and a DELETE has USING, max(): read them from the grammar's tree, or from a plan without indexes, in which PostgreSQL has made plain conditions of nearly all of them. No index of a whole partitioned table can be built concurrently, but one of each partition can.",
  ],
  async run(t) {
    const { random } = t;
    const salt = random.int(1, 1e9);
    const [n, m, k, ok, doc] = Array.from(
      { length: 5 },
      () => `${random.word()}_${random.int(10, 99)}`,
    );
    const [few, log, view, whole] = Array.from({ length: 4 }, () => `public.${random.word()}_x`);
    const value = () => random.int(0, VALUES - 1);
    const one = () => random.int(1, FEW);
    // Each has a table of its own, or an index for one would serve another.
    const shapes: readonly ((table: string) => string)[] = [
      (of) => `/* an application's */ SELECT * FROM ${of} AS x WHERE x.${n} = ${value()};`,
      (of) =>
        `SELECT * FROM ${few} AS f WHERE f.id < 4 AND EXISTS (SELECT FROM ${of} AS x WHERE x.${n} = f.id)`,
      (of) => `SELECT * FROM ${of} WHERE ${n} IN (SELECT id FROM ${few} WHERE id < 4)`,
      (of) =>
        `SELECT f.id, (SELECT count(*) FROM ${of} AS x WHERE x.${n} = f.id) FROM ${few} AS f WHERE f.id < 4`,
      (of) => `SELECT * FROM ${few} AS f LEFT JOIN ${of} USING (${k}) WHERE f.id = ${one()}`,
      (of) =>
        `SELECT f.id, newest.* FROM ${few} AS f,
           LATERAL (SELECT x.id AS found FROM ${of} AS x WHERE x.${n} = f.id ORDER BY x.${m} DESC LIMIT 1) AS newest WHERE f.id < 4`,
      (of) =>
        `UPDATE ${of} AS x SET note = f.name FROM ${few} AS f WHERE f.id = ${one()} AND x.${n} = f.id`,
      (of) => `DELETE FROM ${of} AS x USING ${few} AS f WHERE f.id = ${one()} AND x.${n} = f.id`,
      (of) =>
        `WITH gone AS (DELETE FROM ${of} WHERE ${n} = ${value()} RETURNING id) SELECT count(*) FROM gone`,
      (of) =>
        `WITH RECURSIVE below AS (SELECT id, 1 AS depth FROM ${of} WHERE id = ${one()}
           UNION ALL SELECT x.id, b.depth + 1 FROM below AS b JOIN ${of} AS x ON x.${n} = b.id WHERE b.depth < 3)
           SELECT count(*) FROM below`,
      (of) => `INSERT INTO ${log} SELECT ${n} FROM ${of} WHERE ${n} = ${value()}`,
      (of) =>
        `(SELECT id FROM ${of} WHERE ${n} = ${value()}) UNION ALL (SELECT id FROM ${of} WHERE ${n} = ${value()})`,
      (of) => `SELECT * FROM ${of} WHERE ${n} = ${value()} FOR UPDATE SKIP LOCKED`,
      (of) => `SELECT * FROM ${of} WHERE NOT ${ok}`,
      (of) => `SELECT * FROM ${of} WHERE (${n}, ${m}) = (${value()}, ${value()})`,
      (of) =>
        `SELECT * FROM ${of} WHERE (${n}, id) > (${random.int(1_000, 3_000)}, 5) ORDER BY ${n}, id LIMIT 10`,
      (of) => `SELECT * FROM ${of} WHERE ${doc} ->> 'key' = '${value()}'`,
      (of) =>
        `SELECT * FROM ${of} WHERE ${n} = ${value()} AND ${m} IS NOT DISTINCT FROM ${value()}`,
      (of) => `SELECT ${m}, count(*) FROM ${of} WHERE ${n} = ${value()} GROUP BY ${m}`,
      (of) => `SELECT max(${n}) FROM ${of}`,
    ];
    const tables = shapes.map((_, at) => `public.${random.word()}_${at}`);
    const behind = `public.${random.word()}_b`;
    const columns = `${n} int NOT NULL, ${m} int NOT NULL, ${k} int NOT NULL, ${ok} boolean NOT NULL, ${doc} jsonb NOT NULL, note text NOT NULL`;
    const filled = (table: string) =>
      `INSERT INTO ${table} SELECT i, ${drawn(salt, VALUES)}, ${drawn(salt + 1, VALUES)}, ${drawn(salt + 2, VALUES)},
         i % 900 <> 7, jsonb_build_object('key', ${drawn(salt + 3, VALUES)}), repeat(${digest(salt + 4)}, 3)
         FROM generate_series(1, ${ROWS}) AS i`;
    t.step("tables that are asked in another manner each, one behind a view, and one in parts");
    await load(t, [
      `CREATE TABLE ${few} (id int PRIMARY KEY, ${k} int NOT NULL, name text NOT NULL)`,
      `INSERT INTO ${few} SELECT i, i, 'one of few' FROM generate_series(1, ${FEW}) AS i`,
      `CREATE TABLE ${log} (found int NOT NULL)`,
      ...[...tables, behind].flatMap((table) => [
        `CREATE TABLE ${table} (id int PRIMARY KEY, ${columns})`,
        filled(table),
      ]),
      `CREATE VIEW ${view} AS SELECT id, ${n}, note FROM ${behind} WHERE ${ok}`,
      `CREATE TABLE ${whole} (id int, ${columns}) PARTITION BY HASH (id)`,
      ...Array.from(
        { length: PARTS },
        (_, at) =>
          `CREATE TABLE ${whole}_${at} PARTITION OF ${whole} FOR VALUES WITH (MODULUS ${PARTS}, REMAINDER ${at})`,
      ),
      filled(whole ?? ""),
    ]);
    const wanted = shapes.map((shape, at) => shape(tables[at] ?? ""));
    const either = [view, whole].map((of) => `SELECT * FROM ${of} WHERE ${n} = ${value()}`);
    const statements = random.shuffle<Statement>(
      [...wanted, ...either].map((sql) => ({ sql, calls: random.int(150, 250) })),
    );

    const a = await startAdvisor(t);
    const advice = await a.advise({ statements });

    await expectWellFormed(t, advice, statements);
    const skipped = new Set(advice.skipped.map(({ statement }) => statements[statement]?.sql));
    const served = [...wanted, ...either.filter((sql) => !skipped.has(sql))];
    await using target = await connected(t, "target");
    const before = await blocksOf(target, served);
    await build(t, target, advice.create);
    // Of an expression, the server knows no values before it has looked at them.
    for (const table of tables) await target.query(`ANALYZE ${table}`);
    expectFewerBlocks(t, served, before, await blocksOf(target, served));
  },
});
