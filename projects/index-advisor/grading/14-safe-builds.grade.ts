import { setTimeout as wait } from "node:timers/promises";
import type pg from "pg";
import { type AdvisorContext, check, connected, load, startAdvisor } from "./kit.ts";

const LOCK_MS = 500;
const STATEMENT_MS = 20_000;
/** A build that is to be stopped takes many times this, in milliseconds. */
const SHORT_MS = 700;
/** Room for a busy machine, in milliseconds. */
const SLACK_MS = 2_500;
/** How long apply() may take beyond the limits that it was given, in milliseconds. */
const APPLY_MS = 15_000;
/** So many rows, at 10 ms each, make a build slow. */
const SLOW_ROWS = 600;

export default check({
  title: "builds block nobody's writes, keep to their limits, and leave nothing half-done",
  points: 4,
  concept: "safe builds",
  traps: ["invalid-left-over", "blocks-writes", "waits-for-a-lock"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  hints: [
    "A concurrent build is several transactions. When the last of them fails, what have the first ones left in the catalogue?",
    "Look for an index of that name first: valid is built, invalid is dropped. After a failure DROP INDEX CONCURRENTLY what is invalid; it may have to wait for a writer longer than lock_timeout says, and blocks nobody while it waits.",
  ],
  async run(t) {
    const { random } = t;
    const name = () => `${random.word()}_${random.int(10, 99)}`;
    const [plain, busy, slow, col, text, slowly] = Array.from({ length: 6 }, name);
    await load(t, [
      ...[plain, busy].flatMap((table) => [
        `CREATE TABLE public.${table} (id int PRIMARY KEY, ${col} int NOT NULL, ${text} text NOT NULL)`,
        `INSERT INTO public.${table} SELECT i, i % 100, md5(i::text) FROM generate_series(1, 5000) AS i`,
      ]),
      `CREATE TABLE public.${slow} (id int PRIMARY KEY)`,
      `INSERT INTO public.${slow} SELECT i FROM generate_series(1, ${SLOW_ROWS}) AS i`,
      `CREATE FUNCTION public.${slowly}(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
         BEGIN PERFORM pg_sleep(0.01); RETURN $1; END $$`,
    ]);
    await using target = await connected(t, "target");
    const [old, left, broken, good, twice, patient] = [
      name(),
      name(),
      name(),
      name(),
      name(),
      name(),
    ];
    await target.query(`CREATE INDEX ${old} ON public.${plain} (${text}, id)`);
    await target.query(`CREATE INDEX ${twice} ON public.${plain} (${col}, id)`);
    await target
      .query(`CREATE UNIQUE INDEX CONCURRENTLY ${left} ON public.${plain} (${col})`)
      .catch(() => {});
    t.equal(await stateOf(target, left), "invalid", "the grader's own build has failed");
    const index = (name: string, on: string, kind = "") => ({
      name,
      sql: `CREATE ${kind} INDEX CONCURRENTLY ${name} ON public.${on}`,
    });
    const limits = { lockTimeoutMs: LOCK_MS, statementTimeoutMs: STATEMENT_MS };
    const a = await startAdvisor(t);

    t.step("one is left over from before, one can't be built, one is there, one is to go");
    const create = [
      index(left, `${plain} (${col})`),
      index(broken, `${plain} (${col})`, "UNIQUE"),
      index(twice, `${plain} (${col}, id)`),
      index(good, `${busy} (${col})`),
    ];
    const first = await a.apply({ ...limits, create, drop: [{ name: `public.${old}` }] });
    t.equal([...first.built].sort(), [left, twice, good].sort(), "all others are built");
    t.equal(first.dropped, [`public.${old}`], "what is to go is dropped");
    t.equal(
      first.failed.map((failure) => failure.name),
      [broken],
      "what can't be built has failed",
    );
    for (const built of [left, twice, good]) {
      t.equal(await stateOf(target, built), "valid", "what was built is there, and valid");
    }
    t.equal(await stateOf(target, broken), "absent", "of a build that failed nothing is left");
    t.equal(await stateOf(target, old), "absent", "what was dropped is gone");

    t.step("somebody holds a table, and doesn't let go");
    const [stuck, beside] = [name(), name()];
    await target.query(`BEGIN; LOCK TABLE public.${busy} IN SHARE UPDATE EXCLUSIVE MODE`);
    const { outcome } = await t.within(
      LOCK_MS * 2 + APPLY_MS,
      () =>
        a.apply({
          ...limits,
          create: [index(stuck, `${busy} (${text})`), index(beside, `${plain} (${text})`)],
          drop: [],
        }),
      "apply() waits for a lock no longer than it may",
    );
    await target.query("ROLLBACK");
    if (outcome.status === "rejected") throw outcome.reason;
    t.equal(outcome.value.built, [beside], "a table that is held keeps no other one waiting");
    t.equal(
      outcome.value.failed.map((failure) => failure.name),
      [stuck],
      "what had to wait too long has failed",
    );
    t.equal(await stateOf(target, stuck), "absent", "nothing is left of it");

    t.step("a transaction has written, and stays open for longer than a build may wait");
    await target.query(`BEGIN; UPDATE public.${busy} SET ${text} = 'open' WHERE id = 1`);
    const waiting = a.apply({ ...limits, create: [index(patient, `${busy} (${text})`)], drop: [] });
    waiting.catch(() => {});
    const open = wait(LOCK_MS * 4);
    await expectWritable(t, `INSERT INTO public.${busy} VALUES (-1, 1, 'meanwhile')`);
    await open;
    await target.query("COMMIT");
    const ended = await waiting;
    const built = ended.built.length === 1;
    t.equal(
      await stateOf(target, patient),
      built ? "valid" : "absent",
      "once the writer is done, the index is there and valid, or nothing is left of it",
    );
    t.equal(ended.failed.length, built ? 0 : 1, "and apply() says which");

    t.step("a build takes longer than it may");
    const never = name();
    const sleepy = `${slow} (public.${slowly}(id))`;
    const stopped = await a.apply({
      lockTimeoutMs: LOCK_MS,
      statementTimeoutMs: SHORT_MS,
      create: [index(never, sleepy)],
      drop: [],
    });
    t.equal(
      stopped.failed.map((failure) => failure.name),
      [never],
      "a build that takes too long has failed",
    );
    t.equal(await stateOf(target, never), "absent", "nothing is left of it");

    t.step("somebody writes during a slow build");
    const long = name();
    const building = a.apply({ ...limits, create: [index(long, sleepy)], drop: [] });
    building.catch(() => {});
    await untilBuilding(t, target, slow ?? "", building);
    await expectWritable(t, `INSERT INTO public.${slow} VALUES (-1)`);
    t.equal((await building).built, [long], "and the build ends well");
    t.equal(await stateOf(target, long), "valid", "the index is there, and valid");
  },
});

async function stateOf(client: pg.Client, index: string): Promise<string> {
  const { rows } = await client.query<{ valid: boolean }>(
    "SELECT indisvalid AND indisready AS valid FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relname = $1",
    [index],
  );
  return rows[0] === undefined ? "absent" : rows[0].valid ? "valid" : "invalid";
}

/** @returns once a build has begun on that table, or all is over */
async function untilBuilding(
  t: AdvisorContext,
  client: pg.Client,
  table: string,
  over: Promise<unknown>,
): Promise<void> {
  let done = false;
  const settled = over.then(
    () => {
      done = true;
    },
    () => {
      done = true;
    },
  );
  const progress = `SELECT FROM pg_stat_progress_create_index WHERE relid = 'public.${table}'::regclass AND phase LIKE 'building%'`;
  const begun = t.eventually(
    APPLY_MS,
    async () => done || (await client.query(progress)).rowCount === 1,
    (seen) => seen,
    "the build begins",
    "a build in progress",
  );
  await Promise.race([begun, settled]);
}

/** A write by somebody else goes through at once, or as soon as a wait for a lock has been given up. */
async function expectWritable(t: AdvisorContext, sql: string): Promise<void> {
  await using writer = await connected(t, "target");
  const { outcome } = await t.within(
    LOCK_MS + SLACK_MS,
    () => writer.query(sql),
    "nobody's write waits longer than lockTimeoutMs",
  );
  if (outcome.status === "rejected") throw outcome.reason;
}
