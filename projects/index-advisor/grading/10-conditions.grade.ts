import type { Statement } from "../contract.ts";
import { build, expectEachPays, expectWellFormed } from "./advice.ts";
import { check, connected, digest, drawn, load, startAdvisor } from "./kit.ts";
import { blocksOf } from "./work.ts";

const ROWS = 50_000;
/** How many times fewer blocks a statement touches that an index is for. */
const FEWER = 5;
/**
 * And an OR, of which to read all of an index for one of its arms is already several times less than the table;
 * and the first ten of an equality's rows, of which to read all is.
 */
const MUCH_FEWER = 25;

export default check({
  title:
    "conditions are read as PostgreSQL reads them: functions, OR, orders, casts, and what is half of all rows",
  points: 4,
  concept: "sargability",
  traps: ["not-sargable"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  dependsOn: ["helps"],
  hints: [
    "An index on a column is of no use to a condition on a function of it. And what of an OR of two columns, or an order with its NULLs last?",
    "CREATE INDEX ON t (lower(email)); one index for each arm of an OR; the order's own direction and NULLS, after the columns that are compared with =. Whether it is used, EXPLAIN on the copy tells.",
  ],
  async run(t) {
    const { random } = t;
    const salt = random.int(1, 1e9);
    const column = () => `${random.word()}_${random.int(10, 99)}`;
    const people = `public.${column()}`;
    const items = `public.${column()}`;
    const [email, one, other, flag] = [column(), column(), column(), column()];
    const [price, count, placed, seen, owner, account, ended, pad] = Array.from(
      { length: 8 },
      column,
    );
    await load(t, [
      `CREATE TABLE ${people} (id int PRIMARY KEY, ${email} text NOT NULL, ${one} int NOT NULL, ${other} int NOT NULL,
         ${flag} boolean NOT NULL, ${account} bigint NOT NULL, ${pad} text NOT NULL)`,
      `INSERT INTO ${people} SELECT i, upper(${digest(salt)}) || '@Example.com', ${drawn(salt + 1, 20_000)}, ${drawn(salt + 2, 20_000)},
         ${drawn(salt + 3, 2)} = 1, ${drawn(salt + 4, 1_000_000)}, repeat(${digest(salt + 5)}, 3)
         FROM generate_series(1, ${ROWS}) AS i`,
      `CREATE TABLE ${items} (id int PRIMARY KEY, ${price} int NOT NULL, ${count} int NOT NULL, ${placed} timestamptz NOT NULL,
         ${seen} int, ${owner} int NOT NULL, ${ended} date, ${pad} text NOT NULL)`,
      `INSERT INTO ${items} SELECT i, ${drawn(salt + 6, 1_000)}, ${drawn(salt + 7, 1_000)},
         timestamptz '2025-01-01 00:00Z' + ${drawn(salt + 8, 31_536_000)} * interval '1 second',
         CASE WHEN ${drawn(salt + 9, 5)} > 0 THEN ${drawn(salt + 10, 1_000_000)} END, ${drawn(salt + 11, 400)},
         CASE WHEN i % 500 <> 3 THEN date '2025-01-01' + ${drawn(salt + 13, 300)}::int END,
         repeat(${digest(salt + 12)}, 3)
         FROM generate_series(1, ${ROWS}) AS i`,
    ]);
    await using target = await connected(t, "target");
    const { rows } = await target.query<{ email: string; account: string }>(
      `SELECT lower(${email}) AS email, ${account} AS account FROM ${people} WHERE id = $1`,
      [random.int(1, ROWS)],
    );
    const calls = () => random.int(80, 160);
    const firstTen = `SELECT * FROM ${items} WHERE ${owner} = ${random.int(0, 399)} ORDER BY ${placed} DESC LIMIT 10`;
    const wanted: Statement[] = [
      {
        sql: `SELECT * FROM ${people} WHERE lower(${email}) = '${rows[0]?.email}'`,
        calls: calls(),
      },
      {
        sql: `SELECT * FROM ${people} WHERE ${one} = ${random.int(0, 19_999)} OR ${other} = ${random.int(0, 19_999)}`,
        calls: calls(),
      },
      {
        sql: `SELECT id, ${pad} FROM ${items} WHERE ${price} * ${count} > ${random.int(985, 990)} * 1000`,
        calls: calls(),
      },
      { sql: `SELECT * FROM ${items} ORDER BY ${seen} DESC NULLS LAST LIMIT 10`, calls: calls() },
      { sql: firstTen, calls: calls() },
      // Nobody: who walks along the order, hoping to meet the first ten soon, meets all rows.
      {
        sql: `SELECT * FROM ${items} WHERE ${owner} = ${random.int(1_000, 2_000)} ORDER BY ${placed} DESC LIMIT 10`,
        calls: calls(),
      },
    ];
    const within = random.int(10, 900);
    wanted.push(
      {
        sql: `SELECT * FROM ${people} WHERE ${account} IN (${rows[0]?.account}, ${random.int(0, 999_999)}, ${random.int(0, 999_999)})`,
        calls: calls(),
      },
      {
        sql: `SELECT * FROM ${items} WHERE ${price} BETWEEN ${within} AND ${within + 1}`,
        calls: calls(),
      },
      { sql: `SELECT * FROM ${items} WHERE ${ended} IS NULL`, calls: calls() },
    );
    const vain: Statement[] = [
      { sql: `SELECT * FROM ${people} WHERE ${flag}`, calls: 40 },
      { sql: `SELECT * FROM ${people} WHERE ${pad} LIKE '%${random.word(5)}%'`, calls: 40 },
    ];
    const cast: Statement = {
      sql: `SELECT * FROM ${people} WHERE ${account} = ${rows[0]?.account}.0`,
      calls: 60,
    };
    const statements = random.shuffle([...wanted, ...vain, cast]);

    const a = await startAdvisor(t);
    const advice = await a.advise({ statements });

    await expectWellFormed(t, advice, statements);
    t.equal(advice.skipped, [], "nothing is skipped of what can be understood");
    const sql = wanted.map((statement) => statement.sql);
    const before = await blocksOf(target, sql);
    const built = await build(t, target, advice.create);
    // Of an expression, the server knows no values before it has looked at them.
    for (const table of [people, items]) await target.query(`ANALYZE ${table}`);
    const after = await blocksOf(target, sql);
    for (const [at, text] of sql.entries()) {
      const [was = 0, is = 0] = [before[at], after[at]];
      const fewer = text.includes(" OR ") || text === firstTen ? MUCH_FEWER : FEWER;
      t.ok(is * fewer <= was, "an index serves the condition as it is written", {
        expected: `at most ${Math.floor(was / fewer)} blocks instead of ${was}`,
        received: `${is} blocks: ${text}`,
      });
    }
    await expectEachPays(t, target, built, statements);
  },
});
