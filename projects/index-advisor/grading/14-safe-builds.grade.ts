import { setTimeout as wait } from "node:timers/promises";
import {
  APPLY_MS,
  expectWritable,
  LOCK_MS,
  STATEMENT_MS,
  type State,
  slowFunction,
  stateOf,
  untilBuilding,
} from "./builds.ts";
import { check, connected, load, startAdvisor } from "./kit.ts";

/** A build that is to be stopped takes many times this, in milliseconds. */
const SHORT_MS = 700;
/** Two builds that take so long, where one may take longer, and both together may not, in milliseconds. */
const [NAP_MS, NAPS_MS] = [1_500, 2_500];
/** So many rows, at 10 ms each, make a build slow. */
const SLOW_ROWS = 300;

export default check({
  title: "builds block nobody's writes, keep to their limits, and leave nothing half-done",
  points: 4,
  concept: "safe builds",
  traps: [
    "invalid-left-over",
    "blocks-writes",
    "waits-for-a-lock",
    "exists-elsewhere",
    "limits-add-up",
  ],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  hints: [
    "A concurrent build is several transactions. When the last of them fails, what have the first ones left in the catalogue?",
    "Look for an index of that name first: valid is built, invalid is dropped. After a failure DROP INDEX CONCURRENTLY what is invalid; it may have to wait for a writer longer than lock_timeout says, and blocks nobody while it waits.",
  ],
  async run(t) {
    const { random } = t;
    const name = () => `${random.word()}_${random.int(10, 99)}`;
    const [plain, busy, slow, single, col, text, slowly, naps] = Array.from({ length: 8 }, name);
    await load(t, [
      ...[plain, busy].flatMap((table) => [
        `CREATE TABLE public.${table} (id int PRIMARY KEY, ${col} int NOT NULL, ${text} text NOT NULL)`,
        `INSERT INTO public.${table} SELECT i, i % 100, md5(i::text) FROM generate_series(1, 5000) AS i`,
      ]),
      `CREATE TABLE public.${slow} (id int PRIMARY KEY)`,
      `INSERT INTO public.${slow} SELECT i FROM generate_series(1, ${SLOW_ROWS}) AS i`,
      slowFunction(`public.${slowly}`),
      `CREATE TABLE public.${single} (id int PRIMARY KEY)`,
      `INSERT INTO public.${single} VALUES (1)`,
      slowFunction(`public.${naps}`, NAP_MS),
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
    const state = (index: string): Promise<State> => stateOf(target, `public.${index}`);
    await target.query(`CREATE INDEX ${old} ON public.${plain} (${text}, id)`);
    await target.query(`CREATE INDEX ${twice} ON public.${plain} (${col}, id)`);
    await target
      .query(`CREATE UNIQUE INDEX CONCURRENTLY ${left} ON public.${plain} (${col})`)
      .catch(() => {});
    t.equal(await state(left), "invalid", "the grader's own build has failed");
    // Another schema's index is another index, whatever it is called.
    await target.query(`CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.${busy} (id int);
      CREATE INDEX ${good} ON elsewhere.${busy} (id)`);
    const index = (name: string, on: string) => ({
      name,
      sql: `CREATE INDEX CONCURRENTLY ${name} ON public.${on}`,
    });
    const limits = { lockTimeoutMs: LOCK_MS, statementTimeoutMs: STATEMENT_MS };
    const a = await startAdvisor(t);

    t.step("one is left over from before, one can't be built, one is there, one is to go");
    const create = [
      index(left, `${plain} (${col})`),
      // The build divides by the column, and somewhere that is 0.
      index(broken, `${plain} ((1 / ${col}))`),
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
      t.equal(await state(built), "valid", "what was built is there, and valid");
    }
    t.equal(await state(broken), "absent", "of a build that failed nothing is left");
    t.equal(await state(old), "absent", "what was dropped is gone");

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
    t.equal(await state(stuck), "absent", "nothing is left of it");

    t.step("a transaction has written, and stays open for longer than a build may wait");
    await target.query(`BEGIN; UPDATE public.${busy} SET ${text} = 'open' WHERE id = 1`);
    const waiting = a.apply({ ...limits, create: [index(patient, `${busy} (${text})`)], drop: [] });
    waiting.catch(() => {});
    // Somebody else writes all the time: whatever it is that apply() waits for, it may not stand in their way.
    const until = performance.now() + LOCK_MS * 4;
    for (let id = -1; performance.now() < until; id--) {
      await expectWritable(t, `INSERT INTO public.${busy} VALUES (${id}, 1, 'meanwhile')`);
      await wait(LOCK_MS / 5);
    }
    await target.query("COMMIT");
    const ended = await waiting;
    const built = ended.built.length === 1;
    t.equal(
      await state(patient),
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
    t.equal(await state(never), "absent", "nothing is left of it");

    t.step("two builds take longer together than one may");
    const [one, other] = [name(), name()];
    const naptime = `${single} (public.${naps}(id)`;
    const both = await a.apply({
      lockTimeoutMs: LOCK_MS,
      statementTimeoutMs: NAPS_MS,
      create: [index(one, `${naptime})`), index(other, `${naptime}, id)`)],
      drop: [],
    });
    t.equal(both.built, [one, other], "statementTimeoutMs is for one build, not for all of them");

    t.step("somebody writes during a slow build");
    const long = name();
    const building = a.apply({ ...limits, create: [index(long, sleepy)], drop: [] });
    building.catch(() => {});
    await untilBuilding(target, `public.${slow}`, building);
    await expectWritable(t, `INSERT INTO public.${slow} VALUES (-1)`);
    t.equal((await building).built, [long], "and the build ends well");
    t.equal(await state(long), "valid", "the index is there, and valid");
  },
});
