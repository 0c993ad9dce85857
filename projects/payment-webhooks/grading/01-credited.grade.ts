import {
  asideOf,
  check,
  EASY_BUDGET_MS,
  expectFulfilments,
  expectPayment,
  NO_ID,
  recorded,
  SLACK_MS,
  secretOf,
  startTwoNodes,
} from "./kit.ts";
import { bytesOf, Purchase, signed } from "./provider.ts";

/** More than a double can hold, and not a multiple of what it can. */
const LARGE = 90_071_992_547_409_931n;
/** The largest amount that there is, and how many of them are more than 64 bits hold. */
const NINES = 99_999_999_999_999_999n;
const MANY = 93;
/** So many of them at the same moment. */
const TOGETHER = 10;

export default check({
  title: "a payment that one node is told of is read on the other, to the last cent",
  points: 2,
  concept: "contract",
  traps: ["floats-for-money", "migrates-afresh"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  hints: [
    "Two nodes share nothing but PostgreSQL and Redis. What does b know of an event that a was told?",
    '17 digits: `Number("90071992547409931")` is another number. BigInt, and in PostgreSQL bigint or numeric, which pg hands out as text for that very reason.',
    "migrate runs with each deployment: `CREATE TABLE IF NOT EXISTS`, or a table that remembers what was applied.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const small = new Purchase(t);
    t.equal(await a.payment(small.payment), null, "nobody knows a payment before it is told of");
    t.equal(await b.balance("EUR"), 0n, "the balance begins with nothing");

    t.step("authorized on a, captured on b");
    await recorded(t, a, small.authorized());
    const none = { captured: 0n, refunded: 0n };
    await expectPayment(t, [b, a], small, { state: "authorized", ...none }, "it is authorized");
    await recorded(t, b, small.captured());
    const captured = { state: "captured", captured: small.amount, refunded: 0n } as const;
    await expectPayment(t, [a, b], small, captured, "it is captured");
    t.equal(await a.balance("EUR"), small.amount, "the balance grows by what was captured");

    t.step("a very large payment, in another currency");
    const currency = t.random.pick(["USD", "SEK", "CLP", "CHF"]);
    const large = new Purchase(t, LARGE + 2n * BigInt(t.random.int(0, 400)), currency);
    const part = BigInt(t.random.int(1, 999));
    for (const event of [large.captured(), large.refunded(part)]) await recorded(t, a, event);
    const exact = { state: "captured", captured: large.amount, refunded: part } as const;
    await expectPayment(t, [b, a], large, exact, "amounts are exact, whatever their size");
    t.equal(await b.balance(currency), large.amount - part, "and so is the balance");
    t.equal(await b.balance("EUR"), small.amount, "each currency has its own");

    t.step("refunded in full, then disputed");
    await recorded(t, b, small.refunded(small.amount));
    const back = { captured: small.amount, refunded: small.amount };
    await expectPayment(t, [a, b], small, { state: "refunded", ...back }, "it is refunded");
    t.equal(await a.balance("EUR"), 0n, "the balance shrinks by what was refunded");
    await recorded(t, a, small.disputed());
    await expectPayment(t, [b, a], small, { state: "disputed", ...back }, "it is disputed");
    const once = "each captured payment is to be fulfilled";
    await expectFulfilments(t, b, [small, large], once);

    t.step("the next deployment calls migrate again, while the nodes are at work");
    const shipped = await expectFulfilments(t, a, [small, large], once);
    await a.confirm(shipped[0]?.id ?? "");
    const left = shipped[1]?.payment === small.payment ? small : large;
    const early = new Purchase(t, 1_000n);
    await recorded(t, a, early.refunded(100n));
    const poison = await b.receive(signed(bytesOf("no JSON"), { secrets: [secretOf(t)] }));
    t.equal(poison.status, 200, "what can never be applied is answered with 200");
    await t.migrate(await t.lease("postgres").urlFor("migrate"));
    const stays = "migrating again leaves everything as it was";
    await expectPayment(t, [a, b], large, exact, stays);
    await expectPayment(t, [b], small, { state: "disputed", ...back }, stays);
    await expectFulfilments(t, a, [left], stays);
    t.equal(await asideOf(t, a), [NO_ID], stays);
    await recorded(t, b, early.captured());
    const both = { state: "captured", captured: 1_000n, refunded: 100n } as const;
    await expectPayment(t, [a], early, both, "and what waited still waits");

    t.step(`${MANY} payments of 17 nines each`);
    const many = Array.from({ length: MANY }, () => new Purchase(t, NINES, "JPY"));
    for (let i = 0; i < MANY; i += TOGETHER) {
      const some = many.slice(i, i + TOGETHER);
      await Promise.all(some.map((each, n) => recorded(t, n % 2 ? a : b, each.captured())));
      // Who applies events when somebody reads has not all of them to apply at the end.
      await a.balance("JPY");
    }
    const sum = BigInt(MANY) * NINES;
    for (const node of [a, b]) t.equal(await node.balance("JPY"), sum, "no balance is too large");

    t.step("the nodes are closed");
    for (const node of [a, b]) {
      const what = "close() ends within the budget";
      const { outcome } = await t.within(EASY_BUDGET_MS + SLACK_MS, () => node.close(), what);
      if (outcome.status === "rejected") throw outcome.reason;
    }
  },
});
