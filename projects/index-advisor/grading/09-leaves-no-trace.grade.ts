import { SubmissionError } from "@db-katas/grading";
import type { Advice, Statement } from "../contract.ts";
import { build, expectWellFormed } from "./advice.ts";
import { changed, fingerprintOf, remember } from "./fingerprint.ts";
import { check, connected, digest, drawn, load, type Role, startAdvisor } from "./kit.ts";
import { blocksOf } from "./work.ts";

const ROWS = 30_000;
const FEWER = 5;
/** To one database. */
const MOST_CONNECTIONS = 10;
const FAREWELL_MS = 5_000;

export default check({
  title: "advice leaves nothing behind: not in the target, and not for the next call",
  points: 3,
  concept: "what-if state",
  traps: ["what-if-leaks", "names-are-taken"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  hints: [
    "A hypothetical index belongs to one session, and a pool lends that session to whoever comes next. What does the second call find there?",
    "A connection of its own for each call, or hypopg_reset() and dropped indexes before and after it; and two calls that build on one copy have to take turns.",
  ],
  async run(t) {
    const salt = t.random.int(1, 1e9);
    const [left, right] = [t.random.word(), t.random.word()];
    const [x, y, z] = [t.random.word(), t.random.word(), t.random.word()];
    await load(
      t,
      [left, right].flatMap((table) => [
        `CREATE TABLE public.${table} (id int PRIMARY KEY, ${x} int NOT NULL, ${y} int NOT NULL, ${z} text NOT NULL)`,
        `INSERT INTO public.${table} SELECT i, ${drawn(salt, 5_000)}, ${drawn(salt + 1, 9_000)}, repeat(${digest(salt + 2)}, 3)
           FROM generate_series(1, ${ROWS}) AS i`,
      ]),
    );
    await using target = await connected(t, "target");
    await using scratch = await connected(t, "scratch");
    // Rows that no statistics know yet: who has them gathered in the target leaves a trace.
    for (const table of [left, right]) {
      const more = `INSERT INTO public.${table} SELECT i, i, i, 'late' FROM generate_series(${ROWS + 1}, ${ROWS + 900}) AS i`;
      for (const client of [target, scratch]) await client.query(more);
    }
    const before = await fingerprintOf(t);
    const about = (table: string, column: string): Statement[] => [
      {
        sql: `SELECT ${z} FROM public.${table} WHERE ${column} = ${t.random.int(0, 4_999)}`,
        calls: t.random.int(100, 200),
      },
      { sql: `SELECT ${z} FROM public.${table} WHERE id = ${t.random.int(1, ROWS)}`, calls: 50 },
      {
        sql: `UPDATE public.${table} SET ${z} = 'other' WHERE id = ${t.random.int(1, ROWS)}`,
        calls: 5,
      },
    ];
    const workloads = [about(left, x), about(right, y)] as const;

    const a = await startAdvisor(t);
    const alone = await a.advise({ statements: workloads[0] });
    t.step("two calls at once, about one table each");
    const both = await Promise.all(workloads.map((statements) => a.advise({ statements })));
    t.step("the same call once more");
    const again = await a.advise({ statements: workloads[0] });

    t.equal(changed(before, await fingerprintOf(t)), [], "nothing has changed in the target");
    const [first, second] = both;
    if (!first || !second) return;
    const [own = [], foreign = []] = workloads;
    for (const advice of [alone, first, again]) await expectWellFormed(t, advice, own);
    await expectWellFormed(t, second, foreign);
    t.equal(indexesOf(again), indexesOf(alone), "the same call gets the same indexes again");
    t.equal(indexesOf(first), indexesOf(alone), "… and also while another one is under way");

    t.step(
      "meanwhile somebody else's indexes have the names that were advised, here and in the copy",
    );
    const names = [...first.create, ...second.create].map(({ name }) => `public."${name}"`);
    for (const client of [target, scratch]) {
      for (const [at, { name }] of [...first.create, ...second.create].entries()) {
        await client.query(
          `CREATE INDEX "${name}" ON public.${at % 2 ? left : right} (length(${z}), id)`,
        );
      }
    }
    await remember(t);
    const elsewhere = await a.advise({ statements: own });
    await expectWellFormed(t, elsewhere, own);
    for (const { name } of await build(t, target, elsewhere.create)) names.push(name);
    t.ok(elsewhere.create.length > 0, "what is advised is an index, whatever its name", {
      expected: "an index of another name",
      received: "nothing",
    });
    for (const name of names) {
      for (const client of [target, scratch]) await client.query(`DROP INDEX IF EXISTS ${name}`);
    }
    await remember(t);

    const slow = workloads.map(([statement]) => statement?.sql ?? "");
    const was = await blocksOf(target, slow);
    await build(t, target, [...first.create, ...second.create]);
    const is = await blocksOf(target, slow);
    for (const [at, sql] of slow.entries()) {
      t.ok(
        (is[at] ?? 0) * FEWER <= (was[at] ?? 0),
        "each of two calls at once gets what it needs",
        {
          expected: `at most ${Math.floor((was[at] ?? 0) / FEWER)} blocks instead of ${was[at]}`,
          received: `${is[at]} blocks: ${sql}`,
        },
      );
    }
    for (const [at, table] of [left, right].entries()) {
      const others = both[at]?.create.filter(({ sql }) => !sql.includes(table)) ?? [];
      t.equal(others, [], "a call is told nothing about another call's table");
    }

    t.step("what was advised is there now, in the copy as well");
    for (const { sql } of first.create) await scratch.query(sql);
    const then = await a.advise({ statements: own });
    t.equal(then.create, [], "advice is about the target as it is now, not as it was");

    t.step("many calls, and then none any more");
    for (let call = 0; call < MOST_CONNECTIONS + 2; call++) {
      await a.collect({ by: "calls", limit: 1 }).catch((error: unknown) => {
        // Whether there is anything to collect is no matter here.
        if (!(error instanceof SubmissionError)) throw error;
      });
    }
    const open = (role: Role) => t.lease(role).traffic("a").open;
    t.ok(open("target") <= MOST_CONNECTIONS, "a node keeps no connection for each call", {
      expected: `at most ${MOST_CONNECTIONS}`,
      received: `${open("target")} are open`,
    });
    await a.close();
    await t.eventually(
      FAREWELL_MS,
      async () => open("target") + open("scratch"),
      (count) => count === 0,
      "a node that is closed has no connections",
      "none",
    );
  },
});

/** Without their names, which may be drawn anew, and what they carry along, where a clock may decide. */
const indexesOf = ({ create }: Advice) =>
  create
    .map(({ name, sql }) => sql.replace(name, "…").replace(/\s+INCLUDE\s*\(.*?\)/is, ""))
    .sort();
