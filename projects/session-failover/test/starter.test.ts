import { expect, test } from "vitest";
import starter from "../starter/index.ts";
import { codeOf } from "./cluster.ts";

test("the starter names the task that each function waits for", async () => {
  const postgres = "postgres://nobody@127.0.0.1:1/none";
  const redis = "redis://127.0.0.1:1";
  const timing = { requestBudgetMs: 100, stalenessBoundMs: 100 };
  const node = await starter.createNode({
    name: "a",
    stores: { kind: "polyglot", postgres, redis },
    ...timing,
  });
  const input = { userId: "u", device: "d", data: {}, ttlMs: 1 };
  await expect(starter.migrate({ kind: "polyglot", postgres })).rejects.toThrow(/^task 1: /);
  await expect(starter.migrate({ kind: "local", sqlite: "x" })).rejects.toThrow(/^task 7: /);
  await expect(
    starter.createNode({ name: "a", stores: { kind: "local", sqlite: "x" }, ...timing }),
  ).rejects.toThrow(/^task 7: /);
  await expect(node.create(input)).rejects.toThrow(/^task 1: /);
  await expect(node.get("x")).rejects.toThrow(/^task 1: /);
  await expect(node.list("u")).rejects.toThrow(/^task 2: /);
  expect(await codeOf(node.destroy("x"))).toBe("NOT_IMPLEMENTED");
  await node.close();
});
