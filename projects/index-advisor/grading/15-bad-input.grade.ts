import { blackHole } from "@db-katas/engines/faults/blackHole";
import { resetConnections } from "@db-katas/engines/faults/resetConnections";
import { SubmissionError } from "@db-katas/grading";
import type { Advice, Advisor, Statement } from "../contract.ts";
import { build, expectWellFormed } from "./advice.ts";
import { changed, fingerprintOf } from "./fingerprint.ts";
import {
  type AdvisorContext,
  check,
  connected,
  digest,
  drawn,
  load,
  type Role,
  startAdvisor,
} from "./kit.ts";
import { blocksOf } from "./work.ts";

const ROWS = 15_000;
const FEWER = 5;
/** What node b is told that a call may take, in milliseconds. */
const SHORT_MS = 4_000;
/** Room for a busy machine, in milliseconds. */
const SLACK_MS = 2_000;
/** How many messages of a call are let through before the connection breaks. */
const MOST_MESSAGES = 12;

const unavailable = {
  target: "TARGET_UNAVAILABLE",
  scratch: "SCRATCH_UNAVAILABLE",
} as const;

export default check({
  title:
    "bad statements cost nobody else the advice, and a database that is away or refuses is named",
  points: 3,
  concept: "bad input",
  traps: ["gives-up-whole", "runs-what-it-is-given", "blames-the-other", "waits-for-ever"],
  engines: {
    target: { faults: [blackHole, resetConnections] },
    scratch: { faults: [blackHole, resetConnections] },
  },
  nodes: ["a", "b", "c"],
  hints: [
    "One statement of a hundred is cut off in the middle, as monitoring does. What of the other ninety-nine?",
    "Parse each on its own; skip what is no single SELECT, INSERT, UPDATE or DELETE, or what EXPLAIN refuses. SQLSTATE 42501 is NO_PERMISSION; a connection that breaks, or gives no answer, belongs to one of two databases. Work that broke off may have left indexes on the copy.",
  ],
  async run(t) {
    const { random } = t;
    const salt = random.int(1, 1e9);
    const [name, x, pad] = [random.word(), random.word(), random.word()];
    const table = `public.${name}`;
    await load(t, [
      `CREATE TABLE ${table} (id int PRIMARY KEY, ${x} int NOT NULL, ${pad} text NOT NULL)`,
      `INSERT INTO ${table} SELECT i, ${drawn(salt, 4_000)}, repeat(${digest(salt + 1)}, 3) FROM generate_series(1, ${ROWS}) AS i`,
    ]);
    const good: Statement[] = [
      { sql: `SELECT ${pad} FROM ${table} WHERE ${x} = ${random.int(0, 3_999)}`, calls: 300 },
      { sql: `DELETE FROM ${table} WHERE id = ${random.int(1, ROWS)}`, calls: 3 },
    ];
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
    await using target = await connected(t, "target");
    const before = await fingerprintOf(target);
    const a = await startAdvisor(t);

    t.step("a workload with statements that are none");
    const advice = await a.advise({ statements });
    expectWellFormed(t, advice, statements.length);
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
    t.equal(tablesAdvised(fromReplica, name), true, "advice needs no right to write in the target");
    await setReadOnly(t, false);

    for (const role of ["target", "scratch"] as const) {
      t.step(`the connection to the ${role} breaks in the middle of a call`);
      const nth = random.int(2, MOST_MESSAGES);
      const outcome = await brokenOff(t, role, nth, () => a.advise({ statements: good }));
      expectOutcome(t, outcome, role);
      await t.eventually(
        20_000,
        () => a.advise({ statements: good }),
        (again) => tablesAdvised(again, name),
        "once the connection can be made again, the advice is as good as before",
        `an index on ${table}`,
      );
    }

    const b = await startAdvisor(t, "b", SHORT_MS);
    for (const role of ["target", "scratch"] as const) {
      t.step(`the ${role} can't be reached`);
      await using outage = await t.inject(role, blackHole, { nodes: ["b"] });
      const calls = asking(b, good, table);
      await expectRefused(t, role === "target" ? calls : calls.slice(0, 1), unavailable[role]);
      const { train, test } = await b.split(["SELECT 1"], 1);
      t.equal(train.length + test.length, 1, "split() needs no database");
      await outage.heal();
      await t.inject(role, resetConnections, { nodes: ["b"] });
    }
    t.step("the target refuses the advisor's role");
    await using refusing = await refuse(t);
    await expectRefused(t, asking(b, good, table), "NO_PERMISSION");
    await refusing.end();

    await target.query("RESET ROLE");
    t.equal(changed(before, await fingerprintOf(target)), [], "nothing has changed in the target");
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

const tablesAdvised = ({ create }: Advice, name: string) =>
  create.some(({ sql }) => sql.includes(name));

async function setReadOnly(t: AdvisorContext, on: boolean): Promise<void> {
  await using admin = await connected(t, "target");
  await admin.query("RESET ROLE; SET default_transaction_read_only = off");
  const { rows } = await admin.query<{ sql: string }>(
    `SELECT format('ALTER DATABASE %I ${on ? "SET default_transaction_read_only = on" : "RESET default_transaction_read_only"}', current_database()) AS sql`,
  );
  await admin.query(rows[0]?.sql ?? "");
}

/** New connections are refused, and there are no old ones. */
async function refuse(t: AdvisorContext): Promise<AsyncDisposable & { end(): Promise<void> }> {
  const run = async (verb: "REVOKE" | "GRANT") => {
    await using admin = await connected(t, "target");
    await admin.query("RESET ROLE");
    const { rows } = await admin.query<{ sql: string }>(
      `SELECT format('${verb} CONNECT ON DATABASE %I ${verb === "GRANT" ? "TO" : "FROM"} %I', datname, pg_get_userbyid(datdba)) AS sql
       FROM pg_database WHERE datname = current_database()`,
    );
    await admin.query(rows[0]?.sql ?? "");
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity JOIN pg_database d USING (datname) WHERE datname = current_database() AND usesysid = d.datdba",
    );
  };
  await run("REVOKE");
  const end = () => run("GRANT");
  return { end, [Symbol.asyncDispose]: end };
}

async function brokenOff<T>(
  t: AdvisorContext,
  role: Role,
  nth: number,
  call: () => Promise<T>,
): Promise<PromiseSettledResult<T>> {
  using gate = t.hold(role, { node: "a", match: /./, nth });
  const called = call();
  const [outcome] = await Promise.all([
    Promise.allSettled([called]).then(([settled]) => settled),
    Promise.race([gate.held, Promise.allSettled([called])]).then(async () => {
      await t.inject(role, resetConnections, { nodes: ["a"] });
      gate.release();
    }),
  ]);
  return outcome;
}

/** It may have had all that it needed, or may have asked once more. */
function expectOutcome(t: AdvisorContext, outcome: PromiseSettledResult<Advice>, role: Role): void {
  if (outcome.status === "fulfilled") return;
  const { reason } = outcome;
  if (!(reason instanceof SubmissionError)) throw reason;
  t.equal(reason.code, unavailable[role], "an error names the database whose connection broke");
}

/** All calls at once, so that their limits don't add up. */
async function expectRefused(
  t: AdvisorContext,
  calls: readonly (() => Promise<unknown>)[],
  code: string,
): Promise<void> {
  const what = "a call is refused in time, and says what is wrong with which database";
  const judged = calls.map(async (call) => {
    const { outcome } = await t.within(SHORT_MS + SLACK_MS, call, what);
    const settled =
      outcome.status === "fulfilled"
        ? Promise.resolve(outcome.value)
        : Promise.reject(outcome.reason);
    await t.rejects(settled, code, what);
  });
  for (const result of await Promise.allSettled(judged)) {
    if (result.status === "rejected") throw result.reason;
  }
}

/** Every call that needs the target. */
const asking = (node: Advisor, statements: readonly Statement[], table: string) => [
  () => node.advise({ statements }),
  () => node.collect({ by: "calls", limit: 10 }),
  () =>
    node.apply({
      create: [{ name: "never", sql: `CREATE INDEX CONCURRENTLY never ON ${table} (id)` }],
      drop: [],
      lockTimeoutMs: 1_000,
      statementTimeoutMs: 1_000,
    }),
];
