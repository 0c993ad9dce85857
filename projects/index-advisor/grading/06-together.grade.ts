import type { Statement } from "../contract.ts";
import {
  build,
  expectEachPays,
  expectFewerBlocks,
  expectNoPrefix,
  expectWellFormed,
  expectWithin,
  sizeOf,
} from "./advice.ts";
import { check, connected, digest, drawn, load, startAdvisor } from "./kit.ts";
import { blocksOf } from "./work.ts";

const ORDERS = 50_000;
/** With 25 orders each. */
const CUSTOMERS = 2_000;
/**
 * Of what two indexes need together that serve everything, what the budget is more: enough for them by
 * estimates that don't know of equal keys, too.
 */
const SPARE = 1.45;
/** Of what three need, one for each statement, what the budget is at most. */
const TOO_LITTLE = 0.97;

export default check({
  title: "indexes are chosen together: none is made for a gain that another one has made already",
  points: 4,
  concept: "joint cost",
  traps: ["one-at-a-time", "redundant-prefix"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  dependsOn: ["helps"],
  hints: [
    "Two indexes may each save nine tenths of the time of the same statement. What do both of them save?",
    "After each index that you take, ask anew what every other one would still gain with it there. And look back: one that you took early may be the beginning of another by now, or serve nobody any more.",
  ],
  async run(t) {
    const orders = `public.${t.random.word()}`;
    const [customer, kind, day, product] = Array.from({ length: 4 }, () => t.random.word());
    const salt = t.random.int(1, 1e9);
    await load(t, [
      `CREATE TABLE ${orders} (id int PRIMARY KEY, ${customer} int NOT NULL, ${kind} int NOT NULL,
         ${day} int NOT NULL, ${product} text NOT NULL, note text NOT NULL)`,
      `INSERT INTO ${orders} SELECT i, ${drawn(salt, CUSTOMERS)}, ${drawn(salt + 1, 8)}, ${drawn(salt + 2, 365)},
         ${digest(salt + 3)}, repeat(${digest(salt + 4)}, 3)
         FROM generate_series(1, ${ORDERS}) AS i`,
    ]);
    await using target = await connected(t, "target");
    const { rows } = await target.query<Record<"customer" | "kind" | "day" | "product", string>>(
      `SELECT ${customer} AS customer, ${kind} AS kind, ${day} AS day, ${product} AS product
         FROM ${orders} WHERE id IN ($1, $2)`,
      [t.random.int(1, ORDERS / 2), t.random.int(ORDERS / 2 + 1, ORDERS)],
    );
    const [one, other] = rows;
    const calls = () => t.random.int(280, 320);
    const statements = t.random.shuffle<Statement>([
      {
        sql: `SELECT * FROM ${orders} WHERE ${customer} = ${one?.customer} AND ${kind} = ${one?.kind}`,
        calls: calls(),
      },
      {
        sql: `SELECT * FROM ${orders} WHERE ${customer} = ${other?.customer} AND ${day} = ${other?.day}`,
        calls: calls(),
      },
      { sql: `SELECT * FROM ${orders} WHERE ${product} = '${one?.product}'`, calls: 100 },
    ]);
    const texts = statements.map(({ sql }) => sql);
    const before = await blocksOf(target, texts);
    const size = async (...keys: (string | undefined)[]) =>
      sizeOf(target, `${orders} (${keys.join(", ")})`);
    const alone = await size(product);
    const enough = (await size(customer)) + alone;
    const three = (await size(customer, kind)) + (await size(customer, day)) + alone;
    const budget = Math.floor(Math.min(enough * SPARE, three * TOO_LITTLE));
    const a = await startAdvisor(t);

    for (const budgetBytes of [budget, undefined]) {
      t.step(
        budgetBytes === undefined
          ? "the same without a budget"
          : "the budget is enough for two indexes that serve all statements, if one begins with what two of them have in common",
      );
      const advice = await a.advise({
        statements,
        ...(budgetBytes === undefined ? {} : { budgetBytes }),
      });
      await expectWellFormed(t, advice, statements);
      const built = await build(t, target, advice.create);
      expectWithin(t, built, budgetBytes);
      expectFewerBlocks(t, texts, before, await blocksOf(target, texts));
      await expectNoPrefix(t, target, built);
      await expectEachPays(t, target, built, statements);
      for (const { name } of built) await target.query(`DROP INDEX ${name}`);
    }
  },
});
