import pg from "pg";
import type { DropIndex, DropReason } from "../contract.ts";
import { build, expectFewerBlocks } from "./advice.ts";
import { changed, fingerprintOf } from "./fingerprint.ts";
import { type AdvisorContext, check, connected, load, startAdvisor } from "./kit.ts";
import { blocksOf } from "./work.ts";

export default check({
  title: "what is superfluous is named, with what makes it so; what holds something up is not",
  points: 4,
  concept: "redundancy",
  traps: ["drops-what-holds", "drops-both", "redundant-prefix", "looks-at-little"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  hints: [
    "An index may be the same as another one, or begin it. Which of its properties must be equal for that, besides the columns? And who else relies on it?",
    "pg_index has operator classes, collations, options, predicates, indisunique, indisreplident; pg_constraint.conindid names the index that a constraint or a foreign key needs; pg_stat_progress_create_index shows what is being built.",
  ],
  async run(t) {
    const names = Array.from({ length: 45 }, (_, at) => `${t.random.word()}_${at}`);
    const [main, child, held, d1, d2, c1, c2, c3, p1, p2, p3] = names as [string, ...string[]];
    const [o1, o2, r1, r2, f1, f2, i1, i2, h1, h2, u1, u2, e1, e2, b1, x1, x2] = names.slice(11);
    const [o3, r3, p4, p5, w1, w2, x3, x4, h3, h4, g1, g2, v1, q1, q2, s1, s2] = names.slice(28);
    const [searched, column, e3] = [t.random.word(), t.random.word(), t.random.word()];
    const schema = `${t.random.word(5)} ${t.random.word(3).toUpperCase()}`;
    const make = (name: string | undefined, on: string, kind = "") =>
      `CREATE ${kind} INDEX ${name} ON public.${main} ${on}`;
    await load(t, [
      `CREATE TABLE public.${main} (id int CONSTRAINT ${main}_pk PRIMARY KEY, a int, b int, c int, d int, e int, f text, g text, code int NOT NULL, target int NOT NULL)`,
      `INSERT INTO public.${main} SELECT i, i % 50, i % 70, i % 11, i % 13, i % 17, 'f' || i % 90, 'g' || i % 7, i, i FROM generate_series(1, 3000) AS i`,
      `CREATE TABLE public.${held} (k int)`,
      `INSERT INTO public.${held} SELECT i FROM generate_series(1, 100) AS i`,
      ...t.random.shuffle([make(d1, "(a, d)"), make(d2, "(a, d)")]),
      ...t.random.shuffle([make(c1, "(b)"), make(c2, "(b, c)"), make(c3, "(b, c, e)")]),
      make(p1, "(id)"),
      // Of one column, and yet not the same: another operator class, direction, predicate, method, column carried along.
      make(o1, "(f text_pattern_ops)"),
      make(o3, '(f COLLATE "C")'),
      make(o2, "(f, g)"),
      make(r1, "(c DESC, d)"),
      make(r2, "(c, d, e)"),
      make(r3, "(c DESC)"),
      make(p2, "(d) WHERE e = 3"),
      make(p3, "(d, b)"),
      make(p4, "(d) WHERE e = 4"),
      make(p5, "(d, b) WHERE e = 4"),
      ...[w1, w2].map((name) => make(name, "(a) WHERE b = 1")),
      ...[x3, x4].map((name) => make(name, "(upper(f), b)")),
      ...[h3, h4].map((name) => make(name, "USING hash (a)")),
      ...[g1, g2].map((name) => make(name, "USING gin (to_tsvector('simple', g))")),
      make(h1, "USING hash (e)"),
      make(h2, "(e, a)"),
      make(x1, "(lower(f))"),
      make(x2, "(lower(g))"),
      make(i1, "(g) INCLUDE (a)"),
      make(i2, "(g, b)"),
      // Unique ones are for more than searching.
      make(u1, "(code)", "UNIQUE"),
      make(u2, "(code, e)"),
      `CREATE TABLE public.${child} (parent int CONSTRAINT ${child}_fk REFERENCES public.${main} (code))`,
      make(f1, "(code, a)", "UNIQUE"),
      make(f2, "(code, a)", "UNIQUE"),
      // The younger of two, by then, is the one that a foreign key needs.
      make(q1, "(target)", "UNIQUE"),
      `CREATE TABLE public.${child}_too (parent int REFERENCES public.${main} (target))`,
      make(q2, "(target)", "UNIQUE"),
      `REINDEX INDEX CONCURRENTLY public.${q1}`,
      `CREATE SCHEMA "${schema}"`,
      `CREATE TABLE "${schema}".rows (n int)`,
      ...[s1, s2].map((name) => `CREATE INDEX ${name} ON "${schema}".rows (n)`),
      // As far as another one goes that is of no use to anybody.
      make(v1, "(g, c)"),
      `CREATE TABLE public.${searched} (id int PRIMARY KEY, ${column} int NOT NULL, pad text NOT NULL)`,
      `INSERT INTO public.${searched} SELECT i, i % 4000, repeat(md5(i::text), 3) FROM generate_series(1, 15000) AS i`,
      `ALTER TABLE public.${main} ALTER a SET NOT NULL`,
      `ALTER TABLE public.${main} REPLICA IDENTITY USING INDEX ${f2}`,
    ]);
    await using target = await connected(t, "target");
    t.step("two builds have failed, and left invalid indexes; another one is under way");
    await target
      .query(`CREATE UNIQUE INDEX CONCURRENTLY ${e1} ON public.${main} (g, c)`)
      .catch((error: unknown) => expectState(error, "23505"));
    await givenUp(
      t,
      `public.${searched}`,
      `CREATE INDEX CONCURRENTLY ${e3} ON public.${searched} (${column})`,
    );
    await target.query(`CREATE INDEX ${e2} ON public.${held} (k)`);
    await using building = await underWay(
      t,
      held ?? "",
      `CREATE INDEX CONCURRENTLY ${b1} ON public.${held} (k, (k + 1))`,
    );

    const a = await startAdvisor(t);
    const was = await fingerprintOf(t);
    const search = `SELECT pad FROM public.${searched} WHERE ${column} = ${t.random.int(0, 3_999)}`;
    const { create, drop } = await a.advise({
      statements: [
        { sql: `SELECT a FROM public.${main} WHERE id = 7`, calls: 10 },
        { sql: search, calls: 300 },
      ],
    });
    t.equal(changed(was, await fingerprintOf(t)), [], "nothing has changed in the target");
    await building.finish();

    const definitions = await definitionsOf(target);
    const full = (name: string | undefined) => `public.${name}`;
    const found = new Map(drop.map((each) => [each.name, each]));
    t.equal(found.size, drop.length, "no index is named twice");
    const wanted = (name: string, reasons: readonly DropReason[], keep: string | null) => {
      const dropped = found.get(name);
      found.delete(name);
      t.ok(
        dropped !== undefined && reasons.includes(dropped.reason) && dropped.keep === keep,
        "a superfluous index is named, with its reason and the one that is kept",
        {
          expected: `${name}: ${reasons.join(" or ")}, keep ${keep}; of ${definitions.get(name)}, and ${definitions.get(keep ?? "") ?? "none"}`,
          received: told(dropped),
        },
      );
    };
    const pairs = [
      [d1, d2],
      [w1, w2],
      [x3, x4],
      [h3, h4],
      [g1, g2],
    ].map((pair) => pair.map(full));
    pairs.push([`${schema}.${s1}`, `${schema}.${s2}`]);
    for (const [one = "", other = ""] of pairs) {
      const [gone, kept] = found.has(one) ? [one, other] : [other, one];
      wanted(gone, ["duplicate"], kept);
    }
    wanted(full(c1), ["redundant-prefix"], full(c3));
    wanted(full(c2), ["redundant-prefix"], full(c3));
    wanted(full(r3), ["redundant-prefix"], full(r1));
    wanted(full(p4), ["redundant-prefix"], full(p5));
    wanted(full(p1), ["duplicate", "redundant-prefix"], `public.${main}_pk`);
    wanted(full(f1), ["duplicate"], full(f2));
    wanted(full(q2), ["duplicate"], full(q1));
    wanted(full(e1), ["invalid"], null);
    wanted(full(e3), ["invalid"], null);
    t.equal(
      [...found.values()].map((each) => `${told(each)}; of ${definitions.get(each.name)}`),
      [],
      "no other index is dropped",
    );
    const before = await blocksOf(target, [search]);
    await build(t, target, create);
    expectFewerBlocks(t, [search], before, await blocksOf(target, [search]));
  },
});

const told = (drop: DropIndex | undefined) =>
  drop ? `${drop.name}: ${drop.reason}, keep ${drop.keep}` : "not named";

/** By name, with its schema, neither of them quoted. */
async function definitionsOf(client: pg.Client): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    "SELECT schemaname || '.' || indexname AS name, indexdef AS definition FROM pg_indexes",
  );
  return new Map(rows.map(({ name, definition }) => [name, definition]));
}

function expectState(error: unknown, code: string): void {
  if (!(error instanceof pg.DatabaseError) || error.code !== code) throw error;
}

/** A concurrent build that has met a transaction, and waited for it no longer than a moment. */
async function givenUp(t: AdvisorContext, table: string, sql: string): Promise<void> {
  await using writer = await connected(t, "target");
  await writer.query(`BEGIN; LOCK TABLE ${table} IN ROW EXCLUSIVE MODE`);
  await using builder = await connected(t, "target");
  await builder.query("SET lock_timeout = 100");
  // SQLSTATE 55P03 is "lock not available".
  await builder.query(sql).catch((error: unknown) => expectState(error, "55P03"));
  await writer.query("ROLLBACK");
}

/**
 * A concurrent build that waits for a transaction. It is asked for by the database's owner: what others
 * are doing is not for everybody to see.
 * @returns once the index is in the catalogue, not yet valid
 */
async function underWay(t: AdvisorContext, table: string, sql: string) {
  const writer = await connected(t, "target");
  await writer.query("BEGIN");
  await writer.query(`INSERT INTO public.${table} VALUES (0)`);
  const builder = await connected(t, "target");
  const built = builder.query(sql);
  built.catch(() => {});
  const progress = `SELECT FROM pg_stat_progress_create_index WHERE relid = 'public.${table}'::regclass AND index_relid <> 0`;
  await using looker = await connected(t, "target");
  await t.eventually(
    10_000,
    async () => (await looker.query(progress)).rowCount,
    (count) => count === 1,
    "the grader's own build is under way",
    "one build",
  );
  const finish = async () => {
    await writer.query("COMMIT").catch(() => {});
    await built;
  };
  return {
    finish,
    async [Symbol.asyncDispose]() {
      await writer.end().catch(() => {});
      await built.catch(() => {});
      await builder.end().catch(() => {});
    },
  };
}
