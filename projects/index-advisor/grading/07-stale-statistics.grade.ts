import type { Statement } from "../contract.ts";
import { build, expectEachPays, expectFewerBlocks, expectWellFormed } from "./advice.ts";
import { changed, fingerprintOf } from "./fingerprint.ts";
import { check, connected, digest, drawn, load, startAdvisor } from "./kit.ts";
import { blocksOf } from "./work.ts";

/** When the tables were analyzed. */
const FORMER = 200;
const ROWS = 50_000;
const OWNERS = 5_000;

export default check({
  title: "advice is right though the statistics are of a time when the table was nearly empty",
  points: 4,
  concept: "evidence",
  traps: ["cost-is-not-time"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  dependsOn: ["helps"],
  hints: [
    "The planner believes its statistics. How old are those of the copy, and may you change that?",
    "ANALYZE the copy's tables before you ask its planner anything, and leave the target's statistics as they are: its plans may depend on them.",
  ],
  async run(t) {
    const visits = `public.${t.random.word()}`;
    const [owner, tag, ref] = [t.random.word(), t.random.word(), t.random.word()];
    const salt = t.random.int(1, 1e9);
    const first = t.random.int(OWNERS, 2 * OWNERS);
    const columns = (from: number, to: number, ownerSql: string, tagSql: string, refSql: string) =>
      `INSERT INTO ${visits} SELECT i, ${ownerSql}, ${tagSql}, ${refSql}, repeat(${digest(salt)}, 3)
         FROM generate_series(${from}, ${to}) AS i`;
    t.step("a table is analyzed with few rows, of one owner, and with a tag each; then it grows");
    const statistics = [
      `CREATE TABLE ${visits} (id int PRIMARY KEY, ${owner} int NOT NULL, ${tag} int NOT NULL,
         ${ref} text NOT NULL, note text NOT NULL) WITH (autovacuum_enabled = off)`,
      columns(1, FORMER, `${first}`, "i", "'none'"),
      `ANALYZE ${visits}`,
      columns(FORMER + 1, ROWS, drawn(salt + 1, OWNERS), "0", digest(salt + 2)),
    ];
    await load(t, statistics, { settle: false });
    await using target = await connected(t, "target");
    const { rows } = await target.query<{ ref: string }>(
      `SELECT ${ref} AS ref FROM ${visits} WHERE id = $1`,
      [t.random.int(FORMER + 1, ROWS)],
    );
    const helped: Statement[] = [
      { sql: `SELECT * FROM ${visits} WHERE ${owner} = ${first}`, calls: 200 },
      { sql: `SELECT id FROM ${visits} WHERE ${ref} = '${rows[0]?.ref}'`, calls: 200 },
    ];
    const useless: Statement = { sql: `SELECT * FROM ${visits} WHERE ${tag} = 0`, calls: 200 };
    // What pg_stat_statements would tell of the second one.
    const asked = helped.map((statement, index) =>
      index === 1 ? { ...statement, sql: `SELECT id FROM ${visits} WHERE ${ref} = $1` } : statement,
    );
    const statements = t.random.shuffle([...asked, useless]);

    const was = await fingerprintOf(t);
    const a = await startAdvisor(t);
    const advice = await a.advise({ statements });
    const differs = changed(was, await fingerprintOf(t));

    t.equal(differs, [], "advise() leaves the target as it was, its statistics too");
    await expectWellFormed(t, advice, statements);
    t.step("the target is analyzed, as it would be sooner or later, and the indexes are built");
    await target.query(`VACUUM (ANALYZE) ${visits}`);
    const texts = helped.map(({ sql }) => sql);
    const before = await blocksOf(target, texts);
    const built = await build(t, target, advice.create);
    expectFewerBlocks(t, texts, before, await blocksOf(target, texts));
    await expectEachPays(t, target, built, [...helped, useless]);
  },
});
