import type { Statement } from "../contract.ts";
import { build, expectFewerBlocks, expectNoPrefix, expectWellFormed } from "./advice.ts";
import { expectEvidenceHolds } from "./evidence.ts";
import { check, connected, digest, drawn, load, startAdvisor } from "./kit.ts";
import { blocksOf } from "./work.ts";

const CUSTOMERS = 10_000;
const ORDERS = 60_000;
/** With 20 orders each. */
const COURIERS = 3_000;

export default check({
  title: "what is slow for want of an index gets fast, and the advice says so in figures",
  points: 3,
  concept: "contract",
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  hints: [
    "Which columns do the slow statements compare with something? Those of a join's condition are compared, too.",
    "An index for each: build it on the copy, run the statements with and without all of them, and name in evidence whichever became faster.",
  ],
  async run(t) {
    const schema = `"${t.random.word(6)} ${t.random.word(3).toUpperCase()}"`;
    // With a name that is made of these, an index has more than the 63 bytes that PostgreSQL keeps.
    const [buyers, sales] = [t.random.word(), `${t.random.word(55)}`];
    const [customers, orders] = [`${schema}.${buyers}`, `${schema}.${sales}`];
    const customer = `"${t.random.word()} ID"`;
    const [email, placed, voucher, courier, region] = Array.from({ length: 5 }, () =>
      t.random.word(),
    );
    const salt = t.random.int(1, 1e9);
    t.step("a shop: customers, their orders, and one index besides the primary keys'");
    await load(t, [
      `CREATE SCHEMA ${schema}`,
      `CREATE TABLE ${customers} (id int PRIMARY KEY, ${email} text NOT NULL, address text NOT NULL)`,
      `INSERT INTO ${customers} SELECT i, ${digest(salt)} || '@example.com', repeat(${digest(salt + 1)}, 20)
         FROM generate_series(1, ${CUSTOMERS}) AS i`,
      // Others have tables of these names, too, older or younger ones, and nothing in them.
      ...[`public.${sales}`, orders].map(
        (
          table,
        ) => `CREATE TABLE ${table} (id int PRIMARY KEY, ${customer} int NOT NULL, ${placed} timestamptz NOT NULL,
         reference text NOT NULL, total int NOT NULL, note text NOT NULL, ${voucher} int NOT NULL, ${courier} int NOT NULL,
         ${region} int NOT NULL, ${email} text NOT NULL)`,
      ),
      `INSERT INTO ${orders} SELECT i, 1 + ${drawn(salt + 2, CUSTOMERS)},
         timestamptz '2025-01-01 00:00Z' + ${drawn(salt + 3, 31_536_000)} * interval '1 second',
         ${digest(salt + 4)}, ${drawn(salt + 5, 500)}, repeat(${digest(salt + 6)}, 2), ${drawn(salt + 7, 1_000_000)}, ${drawn(salt + 8, COURIERS)},
         ${drawn(salt + 9, CUSTOMERS)}, 'none'
         FROM generate_series(1, ${ORDERS}) AS i`,
      `CREATE INDEX ON ${orders} (reference, total)`,
      `CREATE TABLE public.${buyers} (LIKE ${customers})`,
    ]);
    await using target = await connected(t, "target");
    const { rows } = await target.query<{
      email: string;
      reference: string;
      voucher: number;
      note: string;
    }>(
      `SELECT k.${email} AS email, o.reference, o.note, o.${voucher} AS voucher FROM ${customers} AS k, ${orders} AS o WHERE k.id = $1 AND o.id = $1`,
      [t.random.int(1, CUSTOMERS)],
    );
    const from = new Date(Date.UTC(2025, 0, t.random.int(2, 360), t.random.int(0, 20)));
    const until = new Date(from.getTime() + 3_600_000);
    const slow: Statement[] = [
      {
        sql: `SELECT * FROM ${orders} WHERE note = '${rows[0]?.note}'`,
        calls: t.random.int(300, 500),
      },
      {
        sql: `SELECT id, note FROM ${orders} WHERE ${placed} >= '${from.toISOString()}' AND ${placed} < '${until.toISOString()}'`,
        calls: t.random.int(100, 300),
      },
      {
        sql: `SELECT o.id, o.note, k.address FROM ${orders} AS o JOIN ${customers} AS k ON o.${customer} = k.id WHERE k.${email} = '${rows[0]?.email}'`,
        calls: t.random.int(100, 300),
      },
      {
        sql: `WITH few AS (SELECT ${customer} FROM ${orders} WHERE ${courier} = ${t.random.int(0, COURIERS - 1)})
          SELECT address FROM ${customers} WHERE id IN (SELECT ${customer} FROM few)`,
        calls: t.random.int(100, 300),
      },
      // Seldom asked, and most of the time goes there.
      {
        sql: `SELECT k.id, (SELECT count(*) FROM ${orders} AS o WHERE o.${region} = k.id) FROM ${customers} AS k WHERE k.id < 15`,
        calls: t.random.int(10, 20),
      },
      {
        sql: `UPDATE ${orders} SET total = 0 WHERE ${voucher} = ${rows[0]?.voucher}`,
        calls: t.random.int(100, 300),
      },
    ];
    const statements = t.random.shuffle<Statement>([
      ...slow,
      { sql: `SELECT total FROM ${orders} WHERE reference = '${rows[0]?.reference}'`, calls: 500 },
      { sql: `SELECT address FROM ${customers} WHERE id = 17`, calls: 5_000 },
      {
        sql: `INSERT INTO ${orders} VALUES (${ORDERS + 1}, 1, now(), 'new', 1, 'none', 0, 0, 0, 'none')`,
        calls: t.random.int(20, 60),
      },
    ]);

    const a = await startAdvisor(t);
    const advice = await a.advise({ statements });

    await expectWellFormed(t, advice, statements);
    t.equal(advice.skipped, [], "nothing is skipped of what can be understood");
    const named = new Set(
      advice.create.flatMap(({ evidence }) => evidence).map(({ statement }) => statement),
    );
    for (const statement of slow) {
      t.ok(named.has(statements.indexOf(statement)), "evidence names what became faster", {
        expected: `${statement.sql} in the evidence of an index`,
        received: `statements ${[...named].join(", ") || "none"}`,
      });
    }
    const texts = slow.map(({ sql }) => sql);
    const before = await blocksOf(target, texts);
    const built = await build(t, target, advice.create);
    expectFewerBlocks(t, texts, before, await blocksOf(target, texts));
    await expectNoPrefix(t, target, built);
    await expectEvidenceHolds(t, target, advice, built, statements);
    t.ok(advice.afterMs * 2 < advice.beforeMs, "the workload's figures show the gain", {
      expected: "afterMs less than half of beforeMs",
      received: `beforeMs ${advice.beforeMs}, afterMs ${advice.afterMs}`,
    });
  },
});
