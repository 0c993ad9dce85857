import type { Advice, Advisor, Statement } from "../contract.ts";
import { type AdvisorContext, digest, drawn, load, privileged, type Role } from "./kit.ts";

/** Of the one table that the checks of refusals and outages are about. */
const ROWS = 15_000;

/** What nodes are told that a call may take where a database is taken away, in milliseconds. */
export const SHORT_MS = 6_000;
/** Room for a busy machine, in milliseconds. */
export const SLACK_MS = 2_000;

/** The code that names the database that is away. */
export const unavailable = {
  target: "TARGET_UNAVAILABLE",
  scratch: "SCRATCH_UNAVAILABLE",
} as const;

/** A table with a column that lacks an index, in both databases. */
export async function loadSearched(t: AdvisorContext) {
  const { random } = t;
  const salt = random.int(1, 1e9);
  const [name, x, pad] = [random.word(), random.word(), random.word()];
  const table = `public.${name}`;
  await load(t, [
    `CREATE TABLE ${table} (id int PRIMARY KEY, ${x} int NOT NULL, ${pad} text NOT NULL)`,
    `INSERT INTO ${table} SELECT i, ${drawn(salt, 4_000)}, repeat(${digest(salt + 1)}, 3) FROM generate_series(1, ${ROWS}) AS i`,
  ]);
  const searching: Statement = {
    sql: `SELECT ${pad} FROM ${table} WHERE ${x} = ${random.int(0, 3_999)}`,
    calls: 300,
  };
  const deleting: Statement = {
    sql: `DELETE FROM ${table} WHERE id = ${random.int(1, ROWS)}`,
    calls: 3,
  };
  return { name, table, x, pad, searching, deleting };
}

export const isAdvised = ({ create }: Advice, table: string) =>
  create.some(({ sql }) => sql.includes(table));

/** Every call that needs a database: advise() both of them, the others the target. */
export function asking(
  node: Advisor,
  role: Role,
  statements: readonly Statement[],
  table: string,
): readonly (() => Promise<unknown>)[] {
  const advise = () => node.advise({ statements });
  return role === "scratch"
    ? [advise]
    : [advise, () => node.collect({ by: "calls", limit: 10 }), applying(node, "never", table)];
}

export const applying = (node: Advisor, name: string, table: string) => () =>
  node.apply({
    create: [{ name, sql: `CREATE INDEX CONCURRENTLY ${name} ON ${table} (id)` }],
    drop: [],
    lockTimeoutMs: 1_000,
    statementTimeoutMs: 1_000,
  });

/** It was rejected with that code, and its message, which will be in a log, gives no password away. */
export async function expectError(
  t: AdvisorContext,
  outcome: PromiseSettledResult<unknown>,
  code: string,
  what: string,
): Promise<void> {
  const settled =
    outcome.status === "fulfilled"
      ? Promise.resolve(outcome.value)
      : Promise.reject(outcome.reason);
  await t.rejects(settled, code, what);
  if (outcome.status === "fulfilled") return;
  const message = String((outcome.reason as Error).message);
  for (const role of ["target", "scratch"] as const) {
    const { password } = new URL(await t.lease(role).urlFor("grader"));
    t.ok(!message.includes(password), "no error's message has a password in it", {
      expected: "the database's name, or its address without user and password",
      received: message.replaceAll(password, "<the password>"),
    });
  }
}

/** Calls are made at once, so that their limits don't add up. */
export async function expectRefused(
  t: AdvisorContext,
  calls: readonly (() => Promise<unknown>)[],
  code: string,
): Promise<void> {
  const what = "a call is refused in time, and says what is wrong with which database";
  const judged = calls.map(async (call) => {
    const { outcome } = await t.within(SHORT_MS + SLACK_MS, call, what);
    await expectError(t, outcome, code, what);
  });
  for (const result of await Promise.allSettled(judged)) {
    if (result.status === "rejected") throw result.reason;
  }
}

/** New connections are refused, and there are no old ones. */
export async function refuse(
  t: AdvisorContext,
  role: Role,
): Promise<AsyncDisposable & { end(): Promise<void> }> {
  const run = async (verb: "REVOKE" | "GRANT") => {
    await using admin = await privileged(t, role);
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
