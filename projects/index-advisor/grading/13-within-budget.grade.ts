import type { Statement } from "../contract.ts";
import {
  build,
  expectFewerBlocks,
  expectSizes,
  expectWellFormed,
  expectWithin,
  sizeOf,
} from "./advice.ts";
import { check, connected, digest, drawn, load, startAdvisor } from "./kit.ts";
import { blocksOf } from "./work.ts";

const ROWS = 40_000;
const LABELS = 1_000;
/** Of what the index needs that is to be found, what the budget is more. */
const SPARE = 1.3;

export default check({
  title: "the budget is one of real bytes, be they fewer or more than was estimated",
  points: 4,
  concept: "budget",
  traps: ["estimated-sizes"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  dependsOn: ["helps"],
  hints: [
    "How many bytes does an index take in which every key occurs forty times? And what does somebody think who multiplies rows by widths?",
    "Build on the copy what might be chosen and ask pg_relation_size, before you decide what fits. A B-tree stores equal keys once (PostgreSQL's manual, 67.4.3), and nobody knows how long an expression's values are until it is built.",
  ],
  async run(t) {
    const pages = `public.${t.random.word()}`;
    const [label, address, number, other] = Array.from({ length: 4 }, () => t.random.word());
    const salt = t.random.int(1, 1e9);
    await load(t, [
      `CREATE TABLE ${pages} (id int PRIMARY KEY, ${label} text NOT NULL, ${address} text NOT NULL,
         ${number} int NOT NULL, ${other} int NOT NULL)`,
      `INSERT INTO ${pages} SELECT i, repeat(md5((${drawn(salt, LABELS)})::text), 3),
         ${[1, 2, 3, 4, 5, 6].map((n) => digest(salt + n)).join(" || ")}, ${drawn(salt + 7, 1_000_000)}, ${drawn(salt + 8, 1_000_000)}
         FROM generate_series(1, ${ROWS}) AS i`,
    ]);
    await using target = await connected(t, "target");
    const { rows } = await target.query<{ label: string; address: string; number: number }>(
      `SELECT ${label} AS label, ${address} AS address, ${number} AS number FROM ${pages} WHERE id IN ($1, $2)`,
      [t.random.int(1, ROWS / 2), t.random.int(ROWS / 2 + 1, ROWS)],
    );
    const [row, second] = rows;
    const byLabel = (value = "") => `SELECT * FROM ${pages} WHERE ${label} = '${value}'`;
    const byNumber = (value = 0) => `SELECT * FROM ${pages} WHERE ${number} = ${value}`;
    const labelled: Statement = { sql: byLabel(row?.label), calls: 300 };
    const numbered: Statement = { sql: byNumber(row?.number), calls: 200 };
    const reversed: Statement = {
      sql: `SELECT id FROM ${pages} WHERE reverse(${address}) = '${[...(row?.address ?? "")].reverse().join("")}'`,
      calls: 600,
    };
    const small = await sizeOf(target, `${pages} (${label})`);
    const long = await sizeOf(target, `${pages} (reverse(${address}))`);
    const arm = () => `SELECT * FROM ${pages} WHERE ${other} = ${t.random.int(0, 999_999)}`;
    const seldom: Statement = { sql: [arm(), arm(), arm()].join(" UNION ALL "), calls: 20 };
    const one = await sizeOf(target, `${pages} (${number})`);
    const a = await startAdvisor(t);
    const rounds = [
      {
        story: "equal keys are stored once: much less than rows × width",
        budgetBytes: Math.floor(small * SPARE),
        helped: labelled,
        another: byLabel(second?.label),
        statements: [labelled],
      },
      {
        story: "an expression's values are longer than anybody expects of its type",
        budgetBytes: Math.floor(long * 0.7),
        helped: numbered,
        another: byNumber(second?.number),
        statements: t.random.shuffle([reversed, numbered]),
      },
      {
        story: "there is room for one of two; what gains more in one call is asked less often",
        budgetBytes: Math.floor(one * SPARE),
        helped: numbered,
        another: byNumber(second?.number),
        statements: t.random.shuffle([seldom, numbered]),
      },
    ];
    for (const { story, budgetBytes, helped, another, statements } of rounds) {
      t.step(story);
      // Whoever asks today for one value asks tomorrow for another one.
      const texts = [helped.sql, another];
      const before = await blocksOf(target, texts);
      const advice = await a.advise({ statements, budgetBytes });
      await expectWellFormed(t, advice, statements);
      const built = await build(t, target, advice.create);
      expectWithin(t, built, budgetBytes);
      expectSizes(t, advice, built);
      expectFewerBlocks(t, texts, before, await blocksOf(target, texts));
      for (const { name } of built) await target.query(`DROP INDEX ${name}`);
    }
    t.step("there is no room at all");
    const none = await a.advise({ statements: [labelled], budgetBytes: 0 });
    t.equal(none.create, [], "a budget of 0 bytes is a budget");
  },
});
