/** The whole of it, on a real server: what is advised, and that nothing of it stays. */
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { advise } from "../src/advise.ts";
import { collect } from "../src/collect.ts";
import type { Select } from "../src/model.ts";
import { extend } from "../src/select/extend.ts";
import { connected, sharedDatabases } from "./databases.ts";

const databases = sharedDatabases(
  `CREATE TABLE things (id int PRIMARY KEY, a int NOT NULL, b int NOT NULL, tags int[] NOT NULL);
   INSERT INTO things SELECT i, i * 7919 % 4000, i * 31 % 2, ARRAY[i % 997, i % 991]
   FROM generate_series(1, 20000) AS i`,
);

const statements = [
  { sql: "SELECT * FROM things WHERE a = 17", calls: 100 },
  { sql: "SELECT count(*) FROM things WHERE tags @> ARRAY[5, 14]", calls: 100 },
  { sql: "SELECT * FROM things WHERE b < 2", calls: 100 },
  { sql: "SELEC nonsense", calls: 1 },
];

async function indexesOf(url: string): Promise<unknown[]> {
  await using client = await connected(url);
  const { rows } = await client.query(
    "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = 'things'::regclass",
  );
  return rows;
}

describe.each(["hypopg", "real builds"] as const)("by %s", (whatIf) => {
  test("what helps is advised, and nothing stays of what was tried", {
    timeout: 60_000,
  }, async () => {
    const { target, scratch } = databases;
    const advice = await advise({ statements }, { target, scratch, whatIf, budgetMs: 50_000 });
    const made = advice.create.map(({ sql }) => sql.replace(/^.* USING /, "")).toSorted();
    expect(made).toEqual(["btree (a)", "gin (tags)"]);
    expect(advice.whatIf.kind).toBe(whatIf);
    expect(advice.skipped).toMatchObject([{ statement: 3 }]);
    expect(advice.afterMs).toBeLessThan(advice.beforeMs);
    for (const { evidence } of advice.create) expect(evidence).toHaveLength(1);
    expect(await indexesOf(target)).toEqual([{ name: "things_pkey" }]);
    expect(await indexesOf(scratch)).toEqual([{ name: "things_pkey" }]);
  });
});

test("what was chosen in a hurry is chosen again while there is time", {
  timeout: 60_000,
}, async () => {
  const { target, scratch } = databases;
  let calls = 0;
  const select: Select = async (request) => {
    if (calls++ > 0) return extend(request);
    await once(request.signal, "abort");
    return [];
  };
  const advice = await advise({ statements }, { target, scratch, select, budgetMs: 20_000 });
  expect(calls).toBeGreaterThan(1);
  expect(advice.create).toHaveLength(2);
  expect(advice.ranOut).toBe(false);
});

test("a budget that holds nothing leads to nothing", { timeout: 60_000 }, async () => {
  const { target, scratch } = databases;
  const { create } = await advise({ statements, budgetBytes: 8_192 }, { target, scratch });
  expect(create).toEqual([]);
});

test("a copy that is away is named", async () => {
  const gone = new URL(databases.scratch);
  gone.port = "1";
  const { target } = databases;
  await expect(advise({ statements }, { target, scratch: gone.href })).rejects.toMatchObject({
    code: "SCRATCH_UNAVAILABLE",
  });
});

test("without pg_stat_statements there is no workload to collect", async () => {
  await expect(collect(databases.target, { by: "calls", limit: 10 })).rejects.toMatchObject({
    code: "EXTENSION_MISSING",
  });
});

test("who may not read everybody's statements is told so, and who may gets the workload alone", async () => {
  await using admin = await connected(databases.targetAdmin);
  await admin.query("CREATE EXTENSION pg_stat_statements");
  await admin.query("SELECT count(*) FROM things WHERE a = 1");
  const all = { by: "calls", limit: 10 } as const;
  await expect(collect(databases.target, all)).rejects.toMatchObject({ code: "NO_PERMISSION" });
  await admin.query(`GRANT pg_read_all_stats TO "${new URL(databases.target).username}"`);
  await collect(databases.target, all);
  const { statements: found } = await collect(databases.target, { by: "calls", limit: 1_000 });
  expect(found.map(({ sql }) => sql)).toContain("SELECT count(*) FROM things WHERE a = $1");
  expect(found.filter(({ sql }) => /pg_|CREATE|hypopg/.test(sql))).toEqual([]);
});
