import type { Statement } from "../contract.ts";
import { build, expectEachPays, expectFewerBlocks, expectWellFormed } from "./advice.ts";
import { check, connected, digest, drawn, load, startAdvisor } from "./kit.ts";
import { blocksOf, type Probe } from "./work.ts";

const ROWS = 50_000;
/** Of each of the rare values. */
const RARE = 40;
const OWNERS = 5_000;

export default check({
  title: "a parameter may be any value that its column has, the rare ones too",
  points: 4,
  concept: "parameters",
  traps: ["parameters-unknown"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  dependsOn: ["helps"],
  hints: [
    "$1 is one value today and another one tomorrow. Which values does the column have, and how often is each of them there?",
    "Plan each statement with several values: the most frequent one and a rare one, from the copy's statistics or its rows. An index that serves one of them is worth having, if nobody pays for it. A value that you chose yourself has no place in a partial index.",
  ],
  async run(t) {
    const [jobs = "", parts, sales] = Array.from({ length: 3 }, () => `public.${t.random.word()}`);
    const [at, key, price] = Array.from({ length: 3 }, () => t.random.word());
    const [state, region, code, kind, owner, mark] = Array.from({ length: 6 }, () =>
      t.random.word(),
    );
    const [usual = "", ...rare] = Array.from({ length: 3 }, () => t.random.word(5));
    const kinds = Array.from({ length: 3 }, () => t.random.word(5));
    const only = t.random.word(5);
    const salt = t.random.int(1, 1e9);
    t.step("nearly all jobs are in one state and all in one region; parts are of three kinds");
    await load(t, [
      `CREATE TABLE ${jobs} (id int PRIMARY KEY, ${state} text NOT NULL, ${region} text NOT NULL,
         ${code} text NOT NULL, note text NOT NULL)`,
      `INSERT INTO ${jobs} SELECT i, CASE WHEN n < ${RARE} THEN '${rare[0]}' WHEN n < ${2 * RARE} THEN '${rare[1]}' ELSE '${usual}' END,
         '${only}', ${digest(salt)}, repeat(${digest(salt + 1)}, 3)
         FROM (SELECT i, row_number() OVER (ORDER BY ${digest(salt + 2)}) AS n FROM generate_series(1, ${ROWS}) AS i) AS each`,
      `CREATE TABLE ${parts} (id int PRIMARY KEY, ${kind} text NOT NULL, ${owner} int NOT NULL,
         ${mark} text NOT NULL, note text NOT NULL)`,
      `INSERT INTO ${parts} SELECT i, ('{${kinds}}'::text[])[1 + ${drawn(salt + 3, 3)}], ${drawn(salt + 4, OWNERS)},
         ${digest(salt + 5)}, repeat(${digest(salt + 6)}, 3) FROM generate_series(1, ${ROWS}) AS i`,
      `CREATE TABLE ${sales} (id int PRIMARY KEY, ${at} timestamptz NOT NULL, ${key} uuid NOT NULL,
         ${price} numeric NOT NULL, note text NOT NULL)`,
      `INSERT INTO ${sales} SELECT i, timestamptz '2025-01-01 00:00Z' + ${drawn(salt + 7, 31_536_000)} * interval '1 second',
         ${digest(salt + 8)}::uuid, ${drawn(salt + 9, 1_000_000)} / 100.0, repeat(${digest(salt + 10)}, 3)
         FROM generate_series(1, ${ROWS / 2}) AS i`,
    ]);
    const statements: Statement[] = t.random.shuffle([
      { sql: `SELECT * FROM ${jobs} WHERE ${state} = $1`, calls: 300 },
      // As most people write it: the search path knows the schema.
      { sql: `SELECT * FROM ${jobs.replace("public.", "")} WHERE ${region} = $1`, calls: 300 },
      { sql: `SELECT id, note FROM ${jobs} WHERE ${code} LIKE $1`, calls: 200 },
      { sql: `SELECT * FROM ${parts} WHERE ${kind} = $1 AND ${owner} = $2`, calls: 400 },
      { sql: `SELECT * FROM ${parts} WHERE ${mark} = ANY ($1) LIMIT $2`, calls: 200 },
      { sql: `SELECT * FROM ${sales} WHERE ${at} >= $1 AND ${at} < $2`, calls: 200 },
      { sql: `SELECT note FROM ${sales} WHERE ${key} = $1`, calls: 200 },
      {
        sql: `SELECT * FROM ${sales} WHERE ${price} BETWEEN $1 AND $2 ORDER BY ${price} LIMIT $3`,
        calls: 200,
      },
      { sql: `UPDATE ${parts} SET note = $1 WHERE id = $2`, calls: 10 },
      { sql: `INSERT INTO ${parts} VALUES ($1, $2, $3, $4, $5)`, calls: 10 },
    ]);

    const a = await startAdvisor(t);
    const advice = await a.advise({ statements });

    await expectWellFormed(t, advice, statements);
    t.equal(advice.skipped, [], "parameters are no reason to skip a statement");
    await using target = await connected(t, "target");
    const { rows } = await target.query<{ code: string; mark: string; uuid: string }>(
      `SELECT j.${code} AS code, p.${mark} AS mark, s.${key} AS uuid
       FROM ${jobs} AS j, ${parts} AS p, ${sales} AS s WHERE j.id = $1 AND p.id = $1 AND s.id = $1`,
      [t.random.int(1, ROWS / 2)],
    );
    const { code: known = "", mark: marked = "", uuid } = rows[0] ?? {};
    const from = new Date(Date.UTC(2025, t.random.int(1, 10), t.random.int(1, 28)));
    const until = new Date(from.getTime() + 7_200_000);
    const least = t.random.int(10, 9_000);
    const someOwner = t.random.int(0, OWNERS - 1);
    const helped: Probe[] = [
      ...rare.map((value) => `SELECT * FROM ${jobs} WHERE ${state} = '${value}'`),
      `SELECT id, note FROM ${jobs} WHERE ${code} LIKE '${known.slice(0, 6)}%'`,
      ...kinds.map(
        (value) => `SELECT * FROM ${parts} WHERE ${kind} = '${value}' AND ${owner} = ${someOwner}`,
      ),
      `SELECT * FROM ${parts} WHERE ${mark} = ANY ('{${marked}}') LIMIT 10`,
      `SELECT * FROM ${sales} WHERE ${at} >= '${from.toISOString()}' AND ${at} < '${until.toISOString()}'`,
      `SELECT note FROM ${sales} WHERE ${key} = '${uuid}'`,
      `SELECT * FROM ${sales} WHERE ${price} BETWEEN ${least} AND ${least + 1} ORDER BY ${price} LIMIT 10`,
    ].map((sql) => ({ sql, calls: 100 }));
    const others: Probe[] = [
      { sql: `SELECT * FROM ${jobs} WHERE ${state} = '${usual}'`, calls: 100 },
      { sql: `SELECT * FROM ${jobs} WHERE ${region} = '${only}'`, calls: 300 },
      { sql: `UPDATE ${parts} SET note = 'new' WHERE id = 5`, calls: 10 },
    ];
    const texts = helped.map(({ sql }) => sql);
    const before = await blocksOf(target, texts);
    const built = await build(t, target, advice.create);
    expectFewerBlocks(t, texts, before, await blocksOf(target, texts));
    await expectEachPays(t, target, built, [...helped, ...others]);

    t.step("a client's driver plans it once for all values");
    await target.query(
      `PREPARE for_all (text, int) AS SELECT * FROM ${parts} WHERE ${kind} = $1 AND ${owner} = $2`,
    );
    await target.query("SET plan_cache_mode = force_generic_plan");
    const generic = [`EXECUTE for_all ('${kinds[0]}', ${someOwner})`];
    const seldom = before.slice(rare.length + 1, rare.length + 2);
    expectFewerBlocks(t, generic, seldom, await blocksOf(target, generic));
  },
});
