import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Lease, openEngines } from "@db-katas/engines";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connected, superuserUrl } from "../databases.ts";
import { type Ended, type Folder, openFolder, typed } from "./tool.ts";

/** On a machine with much else to do. */
const SLOW = 120_000;
const run = await openEngines();
let lease: Lease;
let folder: Folder;

beforeAll(async () => {
  lease = await run.lease("pgextended");
  folder = await openFolder();
  await asked(
    await lease.urlFor("a"),
    "CREATE TABLE ticket (id integer PRIMARY KEY, owner integer NOT NULL, note text NOT NULL)",
    "INSERT INTO ticket SELECT i, i * 7919 % 10007, 'note ' || i FROM generate_series(1, 60000) AS i",
    "CREATE INDEX ticket_id_idx ON ticket (id)",
    "ANALYZE",
  );
}, SLOW);
afterAll(async () => {
  await run[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function asked(url: string, ...sql: readonly string[]): Promise<Record<string, unknown>[]> {
  await using client = await connected(url);
  const rows: Record<string, unknown>[] = [];
  for (const each of sql) rows.push(...(await client.query(each)).rows);
  return rows;
}

/** What is there that an advisor could have left. */
const remains = () =>
  asked(
    superuserUrl(lease),
    "SELECT datname AS name FROM pg_database WHERE datname LIKE '%\\_advise\\_%'",
    "SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "SELECT application_name AS name FROM pg_stat_activity WHERE application_name = 'index-advisor'",
  );

const advise = (
  args: readonly string[],
  onStderr?: (text: string, stop: () => void) => void,
): Promise<Ended> => typed(["--url", superuserUrl(lease), "--make-copy", ...args], onStderr);

const fileOf = (sql: string) => folder.write(`${sql.length}.sql`, sql);

const WORK = `-- calls: 500
SELECT * FROM ticket WHERE owner = 4711;
SELEC nonsense;`;

it("advises, and leaves nothing behind", { timeout: SLOW }, async () => {
  const before = await remains();
  const html = join(folder.path, "page.html");
  const ended = await advise(["--sql", await fileOf(WORK), "--json", "--html", html]);
  expect(ended).toMatchObject({ code: 0 });
  const { create, drop, skipped, statements, environment } = JSON.parse(ended.stdout);
  expect(create).toHaveLength(1);
  expect(create[0].sql).toContain("ON public.ticket");
  expect(drop).toEqual([
    {
      name: "public.ticket_id_idx",
      reason: "duplicate",
      keep: "public.ticket_pkey",
      sql: "DROP INDEX CONCURRENTLY public.ticket_id_idx",
    },
  ]);
  expect(skipped).toMatchObject([{ statement: 1 }]);
  expect(statements[0].afterMs).toBeLessThan(statements[0].beforeMs);
  expect(environment.server).toMatch(/^\d+\.\d+/);
  expect(await readFile(html, "utf8")).toContain(create[0].name);
  expect(await remains()).toEqual(before);
});

it("ends cleanly at Ctrl-C", { timeout: SLOW }, async () => {
  const before = await remains();
  const slow = "SELECT count(*) FROM ticket a, ticket b WHERE a.note < b.note;";
  const ended = await advise(["--sql", await fileOf(slow)], (text, stop) => {
    if (text.includes("measuring") && !text.includes("Cleaning up")) stop();
  });
  expect(ended.code).toBe(130);
  expect(ended.stdout).toBe("");
  expect(await remains()).toEqual(before);
});

it("ends the copying at Ctrl-C, on the server too", { timeout: SLOW }, async () => {
  const before = await remains();
  // The server waits five seconds for others to go before it says that it can't copy.
  await using other = await connected(superuserUrl(lease));
  const copying = async () => {
    const { rowCount } = await other.query(
      "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CREATE DATABASE%'",
    );
    return rowCount;
  };
  let since = Number.NaN;
  let stopped: Promise<void> | undefined;
  const ended = await advise(["--sql", await fileOf(WORK)], (text, stop) => {
    if (!text.includes("copying")) return;
    stopped ??= expect
      .poll(copying, { interval: 20 })
      .toBe(1)
      .then(() => {
        since = performance.now();
        stop();
      });
  });
  const tookMs = performance.now() - since;
  await stopped;
  expect(tookMs).toBeLessThan(3_000);
  expect(ended.code).toBe(130);
  expect(await remains()).toEqual(before);
});

it("keeps the advice where the copy can't be dropped, and says what to type", {
  timeout: SLOW,
}, async () => {
  let name = "";
  let kept: Promise<unknown> | undefined;
  const ended = await advise(["--sql", await fileOf(WORK), "--json"], (text) => {
    if (kept || !text.includes("looking at the copy")) return;
    [, name = ""] = / to (\w+_advise_\w+)/.exec(text) ?? [];
    // Templates can't be dropped.
    kept = asked(superuserUrl(lease), `ALTER DATABASE ${name} IS_TEMPLATE true`);
  });
  await kept;
  await asked(superuserUrl(lease), `ALTER DATABASE ${name} IS_TEMPLATE false`);
  await asked(superuserUrl(lease), `DROP DATABASE ${name}`);
  expect(ended.code).toBe(0);
  expect(JSON.parse(ended.stdout).create).toHaveLength(1);
  expect(ended.stderr).toContain(`DROP DATABASE "${name}" WITH (FORCE);`);
});

it("asks before it applies, and says so at once where nobody can be asked", async () => {
  const { code, stderr } = await advise(["--sql", await fileOf(WORK), "--apply"]);
  expect(code).toBe(2);
  expect(stderr).toMatchInlineSnapshot(`
    "BAD_OPTION  --apply asks before it changes anything, and there is no terminal to ask at. Say --yes too, and nobody is asked.
    "
  `);
});

it("applies", { timeout: SLOW }, async () => {
  const { code, stdout } = await advise(["--sql", await fileOf(WORK), "--apply", "--yes"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^built {4}ticket_owner/m);
  expect((await remains()).map(({ name }) => name)).toContain("ticket_id_idx");
});

it("drops only when it is told so", { timeout: SLOW }, async () => {
  const { code, stdout } = await advise([
    "--sql",
    await fileOf(WORK),
    "--apply",
    "--drop",
    "--yes",
  ]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^dropped {2}public\.ticket_id_idx$/m);
  const names = (await remains()).map(({ name }) => name);
  expect(names).toHaveLength(2);
  expect(names).toContain("ticket_pkey");
});
