import type { Statement } from "../contract.ts";
import { build, expectWellFormed } from "./advice.ts";
import { changed, fingerprintOf } from "./fingerprint.ts";
import { type AdvisorContext, check, connected, startAdvisor } from "./kit.ts";
import { asking, expectRefused, isAdvised, loadSearched, refuse, SLACK_MS } from "./refusals.ts";
import { blocksOf } from "./work.ts";

const FEWER = 5;
/** What node b is told that a call may take, in milliseconds. */
const SHORT_MS = 15_000;

export default check({
  title: "bad statements cost nobody else the advice, and a database that refuses is named",
  points: 3,
  concept: "bad input",
  traps: [
    "gives-up-whole",
    "runs-what-it-is-given",
    "blames-the-other",
    "runs-to-the-end",
    "gives-away",
  ],
  engines: { target: {}, scratch: {} },
  nodes: ["a", "b", "c"],
  hints: [
    "One statement of a hundred is cut off in the middle, as monitoring does; another one would run until next week. What of the other ninety-eight?",
    "Parse each on its own; skip what is no single SELECT, INSERT, UPDATE or DELETE, or what EXPLAIN refuses; give every run a statement_timeout that is a small part of the call's time. SQLSTATE 42501 is NO_PERMISSION, of whichever database.",
  ],
  async run(t) {
    const { random } = t;
    const { name, table, x, pad, searching, deleting } = await loadSearched(t);
    const good: Statement[] = [searching, deleting];
    const bad = [
      `SELECT ${pad} FROM ${table} WHERE ${x} = 1 AND`,
      `SELECT ${pad} FROM ${table} WHERE ${pad} = 'cut off`,
      `SELECT * FROM public.${random.word()}_gone WHERE ${x} = 1`,
      `SELECT ${random.word()}_gone FROM ${table} WHERE ${x} = 1`,
      `SELECT * FROM ${table} WHERE ${pad} + 1 = 2`,
      `SELECT 1; DROP TABLE ${table}`,
      `TRUNCATE ${table}`,
      `EXPLAIN ANALYZE DELETE FROM ${table}`,
      `ALTER TABLE ${table} DROP COLUMN ${pad}`,
      "BEGIN",
      "",
      "<insufficient privilege>",
    ];
    const statements = random.shuffle([
      ...good,
      ...bad.map((sql) => ({ sql, calls: random.int(1, 900) })),
    ]);
    const before = await fingerprintOf(t);
    const a = await startAdvisor(t);

    t.step("a workload with statements that are none");
    const advice = await a.advise({ statements });
    await expectWellFormed(t, advice, statements);
    t.equal(
      advice.skipped.map((each) => statements[each.statement]?.sql).sort(),
      [...bad].sort(),
      "what can't be taken into account is skipped, and nothing else",
    );
    t.ok(
      advice.skipped.every(({ why }) => why.trim().length > 0),
      "and the reason is told",
      { expected: "a reason for each", received: JSON.stringify(advice.skipped) },
    );

    t.step("the target takes no writes");
    await setReadOnly(t, true);
    const c = await startAdvisor(t, "c");
    const fromReplica = await c.advise({ statements: good });
    t.equal(isAdvised(fromReplica, name), true, "advice needs no right to write in the target");
    await setReadOnly(t, false);

    t.step("a statement that would run for weeks");
    const endless = {
      sql: `SELECT count(*) FROM ${table} AS r, ${table} AS s, ${table} AS t`,
      calls: 1,
    };
    const b = await startAdvisor(t, "b", SHORT_MS);
    const { outcome } = await t.within(
      SHORT_MS + SLACK_MS,
      () => b.advise({ statements: random.shuffle([...good, endless]) }),
      "a call ends in its time, whatever its statements would take",
    );
    if (outcome.status === "rejected") throw outcome.reason;
    t.equal(isAdvised(outcome.value, name), true, "and the others' advice is there");

    for (const role of ["target", "scratch"] as const) {
      t.step(`the ${role} refuses the advisor's role`);
      await using refusing = await refuse(t, role);
      await expectRefused(t, asking(b, role, good, table), "NO_PERMISSION");
      await refusing.end();
    }

    t.equal(changed(before, await fingerprintOf(t)), [], "nothing has changed in the target");
    await using target = await connected(t, "target");
    const slow = good.slice(0, 1).map(({ sql }) => sql);
    const [was = 0] = await blocksOf(target, slow);
    await build(t, target, advice.create);
    const [is = 0] = await blocksOf(target, slow);
    t.ok(is * FEWER <= was, "all that can be understood is advised as if it were alone", {
      expected: `at most ${Math.floor(was / FEWER)} blocks instead of ${was}`,
      received: `${is} blocks: ${slow[0]}`,
    });
  },
});

async function setReadOnly(t: AdvisorContext, on: boolean): Promise<void> {
  await using admin = await connected(t, "target");
  await admin.query("SET default_transaction_read_only = off");
  const { rows } = await admin.query<{ sql: string }>(
    `SELECT format('ALTER DATABASE %I ${on ? "SET default_transaction_read_only = on" : "RESET default_transaction_read_only"}', current_database()) AS sql`,
  );
  await admin.query(rows[0]?.sql ?? "");
}
