import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test as base, expect } from "vitest";
import reference from "../src/index.ts";
import { codeOf, eventually } from "./cluster.ts";

const input = { userId: "ada", device: "phone", data: { n: 1 }, ttlMs: 60_000 };
const timing = { requestBudgetMs: 2_000, stalenessBoundMs: 500 };

const test = base.extend<{ file: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: how vitest declares a fixture without dependencies
  file: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), "sessions-"));
    await use(join(folder, "sessions.db"));
    await rm(folder, { recursive: true });
  },
});

test("the contract on one file, shared by two nodes", async ({ file }) => {
  const stores = { kind: "local", sqlite: file } as const;
  await Promise.all([reference.migrate(stores), reference.migrate(stores)]);
  await reference.migrate(stores);
  const a = await reference.createNode({ name: "a", stores, ...timing });
  const b = await reference.createNode({ name: "b", stores, ...timing });
  const created = await a.create(input);
  expect(await b.get(created.id)).toEqual(created);
  const updated = await b.update(created.id, { data: { n: 2 }, expectedVersion: 1 });
  expect(updated).toEqual({ ...created, version: 2, data: { n: 2 } });
  expect(await codeOf(a.update(created.id, { data: {}, expectedVersion: 1 }))).toBe(
    "VERSION_CONFLICT",
  );
  const touched = await a.touch(created.id, 120_000);
  expect(touched).toMatchObject({ version: 2, data: { n: 2 } });
  expect(touched.expiresAt).toBeGreaterThan(updated.expiresAt);
  const rotated = await a.rotate(created.id);
  expect(await b.get(created.id)).toBeNull();
  expect(await b.get(rotated.id)).toEqual(rotated);
  const second = await b.create({ ...input, device: "laptop" });
  expect((await a.list("ada")).map((one) => one.device)).toEqual(["phone", "laptop"]);
  await a.destroy(second.id);
  expect(await codeOf(b.touch(second.id, 1_000))).toBe("NOT_FOUND");
  expect(await b.destroyAll("ada")).toBe(1);
  expect(await a.list("ada")).toEqual([]);

  const short = await a.create({ ...input, ttlMs: 100 });
  expect(
    await eventually(
      2_000,
      () => b.get(short.id),
      (it) => it === null,
    ),
  ).toBeNull();
  await Promise.all([a.close(), b.close()]);
  expect(await codeOf(a.get(rotated.id))).toBe("STORE_UNAVAILABLE");
});

test("the file holds no id in the clear", async ({ file }) => {
  const stores = { kind: "local", sqlite: file } as const;
  await reference.migrate(stores);
  const node = await reference.createNode({ name: "a", stores, ...timing });
  const { id } = await node.create(input);
  await node.close();
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = database.prepare("SELECT * FROM sessions").all();
  database.close();
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain(id);
});

test("a file that another process keeps locked costs the budget, not more", async ({ file }) => {
  const stores = { kind: "local", sqlite: file } as const;
  await reference.migrate(stores);
  const node = await reference.createNode({ name: "a", stores, ...timing, requestBudgetMs: 300 });
  const { id } = await node.create(input);
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  const from = performance.now();
  expect(await codeOf(node.touch(id, 60_000))).toBe("STORE_UNAVAILABLE");
  expect(performance.now() - from).toBeLessThan(300 + 200);
  expect((await node.get(id))?.version).toBe(1);
  other.exec("ROLLBACK");
  other.close();
  expect((await node.touch(id, 60_000)).version).toBe(1);
  await node.close();
});

test("two processes write to one session: no update is lost, no one is told that it is busy", async ({
  file,
}) => {
  const stores = { kind: "local", sqlite: file } as const;
  await reference.migrate(stores);
  const node = await reference.createNode({ name: "a", stores, ...timing });
  const { id } = await node.create({ ...input, data: { n: 0 } });
  const WRITES = 200;
  const exits = await Promise.all(
    ["b", "c"].map((name) => {
      const child = fork(join(import.meta.dirname, "sqlite-writer.ts"), [
        file,
        name,
        id,
        String(WRITES),
      ]);
      return new Promise<number | null>((resolve) => child.once("exit", resolve));
    }),
  );
  expect(exits).toEqual([0, 0]);
  expect(await node.get(id)).toMatchObject({ version: 1 + 2 * WRITES, data: { n: 2 * WRITES } });
  await node.close();
});
