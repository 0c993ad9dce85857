import { SubmissionError } from "@db-katas/grading";
import type pg from "pg";
import type { Statement } from "../contract.ts";
import { rememberOnce } from "./fingerprint.ts";
import {
  type AdvisorContext,
  check,
  connected,
  drawn,
  load,
  privileged,
  startAdvisor,
  superuser,
} from "./kit.ts";

const ROWS = 20_000;
/** More than any workload here has. */
const ALL = 1_000;
/** Of statements that differ in which of their columns are numbers and which are texts. */
const COLUMNS = 14;

export default check({
  title:
    "the workload is what the database was asked, by anybody but an advisor, and says whether it is all",
  points: 3,
  concept: "contract",
  traps: ["forgets-what-was-forgotten", "collects-its-own"],
  // pg_stat_statements counts, and forgets, for a whole server: only with pg_cron is one a lease's own.
  engines: { target: { needs: ["cron"] }, scratch: {} },
  nodes: ["a", "b"],
  hints: [
    "Besides the statements, what does pg_stat_statements have in other rows, columns and views: of whom, of which database, and how much has it thrown away?",
    "Filter by dbid; group by queryid over all users; mark your own statements with a comment, which stays in their text; pg_stat_statements_info.dealloc is not 0 once something was forgotten.",
  ],
  async run(t) {
    const { random } = t;
    const salt = random.int(1, 1e9);
    const [often, long, wide, by] = [random.word(), random.word(), random.word(), random.word()];
    // A name may begin or end like one of PostgreSQL's own.
    const various = `${random.word(4)}pg_${random.word(4)}`;
    const table = (name: string) =>
      `CREATE TABLE public.${name} (id int PRIMARY KEY, ${by} int NOT NULL)`;
    await load(t, [
      ...[often, long, wide, various].map(table),
      ...[often, wide].map(
        (name) =>
          `INSERT INTO public.${name} SELECT i, 1 + ${drawn(salt, ROWS)} FROM generate_series(1, ${ROWS}) AS i`,
      ),
      `INSERT INTO public.${long} VALUES (1, 1)`,
    ]);
    await using admin = await privileged(t, "target");
    await using role = await connected(t, "target");
    await rememberOnce(t);
    await admin.query("SELECT public.pg_stat_statements_reset()");
    // Three that lead in one thing each, by far: in calls, in time, in blocks touched.
    const [byAdmin, byRole] = [random.int(200, 300), random.int(200, 300)];
    for (let i = 0; i < byAdmin; i++) {
      await admin.query(`SELECT ${by} FROM public.${often} WHERE id = ${random.int(1, ROWS)}`);
    }
    for (let i = 0; i < byRole; i++) {
      await role.query(`SELECT ${by} FROM public.${often} WHERE id = ${random.int(1, ROWS)}`);
    }
    // More than either of the two has asked of the other, and less than both.
    for (let i = 0; i < 350; i++) {
      await role.query(`SELECT id FROM public.${various} WHERE id = ${random.int(1, ROWS)}`);
    }
    // What leads by far in real life, and is of no use to an advisor.
    for (let i = 0; i < byAdmin + byRole + 50; i++) await role.query("BEGIN; COMMIT");
    await admin.query(
      `SELECT max(md5(repeat(g::text, 100))) FROM public.${long}, generate_series(1, 600000) AS g`,
    );
    await role.query("BEGIN; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off");
    await role.query(
      `SELECT count(l.id) FROM public.${wide} AS w JOIN public.${wide} AS l ON l.id = w.${by}`,
    );
    await role.query(`UPDATE public.${wide} SET ${by} = 0 WHERE id = 1`);
    await role.query("ROLLBACK");
    for (const sql of manners(`public.${various}`, by)) await role.query(sql);
    await elsewhere(t);
    const asked = await askedOf(admin);

    t.step("nodes a and b collect, and b advises");
    const a = await startAdvisor(t, "a");
    const b = await startAdvisor(t, "b");
    await a.collect({ by: "calls", limit: 3 });
    const some = [{ sql: `SELECT id FROM public.${often} WHERE ${by} = 7`, calls: 1 }];
    await b.advise({ statements: some }).catch((error: unknown) => {
      // Whatever it answers: here it matters what it has asked.
      if (!(error instanceof SubmissionError)) throw error;
    });
    await b.apply({
      create: [{ name: "built", sql: `CREATE INDEX CONCURRENTLY built ON public.${wide} (${by})` }],
      drop: [{ name: "public.built" }],
      lockTimeoutMs: 5_000,
      statementTimeoutMs: 20_000,
    });
    await b.collect({ by: "total-time", limit: ALL });
    const all = await a.collect({ by: "total-time", limit: ALL });
    const tried = await admin.query<{ query: string }>(
      "SELECT query FROM public.pg_stat_statements WHERE query ~* '^(/[*].*[*]/)?\\s*explain.*analy[sz]e'",
    );
    t.equal(tried.rows, [], "statements are tried on the copy, never on the target");
    for (const { sql } of all.statements) {
      t.ok(asked.has(flat(sql)), "only what others have asked of this database is collected", {
        expected: "a SELECT, INSERT, UPDATE or DELETE that pg_stat_statements had before",
        received: sql,
      });
    }
    const collected = new Set(all.statements.map(({ sql }) => flat(sql)));
    t.equal(
      [...asked].filter((sql) => sql.includes(various) && !collected.has(sql)),
      [],
      "whatever reads or writes rows is collected, however it begins",
    );
    const calls = (name: string) =>
      all.statements
        .filter(({ sql }) => sql.includes(name))
        .reduce((sum, statement) => sum + statement.calls, 0);
    t.equal(calls(often), byAdmin + byRole, "calls are counted, whoever made them");
    const entries = all.statements.filter(({ sql }) => sql.includes(often));
    t.equal(entries.length, 1, "one text is one statement, however many users ask it");
    t.equal(calls(long), 1, "a statement that ran once is there");
    t.equal(calls(wide), 2, "what was taken back has run all the same");
    t.equal(all.forgotten, 0, "nothing was forgotten");
    const leaders = [
      ["calls", often],
      ["total-time", long],
      ["blocks", wide],
    ] as const;
    for (const [by, name] of leaders) {
      const { statements } = await a.collect({ by, limit: 1 });
      t.equal(statements.length, 1, "as many as were asked for, and no more");
      t.ok(statements[0]?.sql.includes(name) === true, `the first one by ${by} comes first`, {
        expected: `the statement about ${name}`,
        received: told(statements),
      });
    }

    t.step("there are more statements than pg_stat_statements can remember");
    await using server = await superuser(t, "target");
    await crowd(server);
    const { forgotten } = await a.collect({ by: "calls", limit: ALL });
    t.ok(forgotten > 0, "it is told that something was forgotten", {
      expected: "more than 0",
      received: String(forgotten),
    });

    t.step("the advisor's role may not read what others ask; then there is no pg_stat_statements");
    const owner = await ownerOf(admin);
    await admin.query(`SELECT 'nobody else may read this' AS ${often}`);
    await server.query(`REVOKE pg_read_all_stats FROM ${owner}`);
    await t.rejects(
      a.collect({ by: "calls", limit: ALL }),
      "NO_PERMISSION",
      "texts that are kept from the advisor are no statements",
    );
    await server.query(`GRANT pg_read_all_stats TO ${owner}`);
    await server.query("DROP EXTENSION pg_stat_statements");
    await t.rejects(
      a.collect({ by: "calls", limit: ALL }),
      "EXTENSION_MISSING",
      "without pg_stat_statements there is nothing to collect",
    );
  },
});

/** Statements that are of use to an advisor, and don't begin with SELECT or UPDATE. */
const manners = (table: string, column: string) => [
  `INSERT INTO ${table} VALUES (1, 1), (2, 2)`,
  `DELETE FROM ${table} WHERE id = 2`,
  `WITH few AS (SELECT id FROM ${table} WHERE ${column} = 1) SELECT count(*) FROM few`,
  `/* an application's own mark */ SELECT id FROM ${table} WHERE ${column} > 1`,
];

const flat = (sql: string) => sql.replace(/\s+/g, " ").trim();

const told = (statements: readonly Statement[]) =>
  statements.map(({ sql, calls }) => `${flat(sql)} (${calls})`).join("; ") || "none";

/** What this database was asked until now, without what no advisor has a use for. */
async function askedOf(admin: pg.Client): Promise<Set<string>> {
  const question =
    "SELECT query FROM public.pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
  const { rows } = await admin.query<{ query: string }>(question);
  const texts = [...rows.map(({ query }) => flat(query)), question];
  return new Set(
    texts.filter((text) => /^(\/\*.*?\*\/ )?(select|insert|update|delete|with)\b/i.test(text)),
  );
}

/** Another database of the same server is asked as well. */
async function elsewhere(t: AdvisorContext): Promise<void> {
  await using client = await superuser(t, "target", "postgres");
  await client.query("SELECT count(*) FROM pg_catalog.pg_operator WHERE oprname = '+'");
}

/** Asks so many different statements that some are forgotten, whose number is the server's own setting. */
async function crowd(server: pg.Client): Promise<void> {
  await server.query("SET pg_stat_statements.track = 'all'");
  await server.query(`DO $$ BEGIN
    FOR n IN 1..current_setting('pg_stat_statements.max')::int + 100 LOOP
      EXECUTE (SELECT 'SELECT ' || string_agg(CASE WHEN (n >> bit) & 1 = 1 THEN '1' ELSE '''''::text' END, ', ')
        FROM generate_series(0, ${COLUMNS - 1}) AS bit);
    END LOOP; END $$`);
  await server.query("RESET pg_stat_statements.track");
}

async function ownerOf(admin: pg.Client): Promise<string> {
  const { rows } = await admin.query<{ owner: string }>(
    "SELECT quote_ident(pg_get_userbyid(datdba)) AS owner FROM pg_database WHERE datname = current_database()",
  );
  return rows[0]?.owner ?? "";
}
