import { expect, test, vi } from "vitest";
import { openEngines } from "../src/index.ts";

vi.mock("../src/providers/small-disk.ts", () => ({ smallDisks: async () => false }));

test("where no small disk is to be had, a lease that needs one says so, and others are as ever", async () => {
  await using run = await openEngines({ env: { ...process.env, KATA_ENGINES: "process" } });
  const request = { isolation: "instance", needs: ["diskFull"] } as const;
  expect((await run.probe("redis", request.needs)).chosen).toBeUndefined();
  await expect(run.lease("redis", request)).rejects.toMatchObject({
    code: "ENGINE_UNAVAILABLE",
    message: expect.stringContaining("process: can't do diskFull (it takes Linux"),
  });
  await using lease = await run.lease("redis", { isolation: "instance" });
  expect(lease.engine.capabilities).toContain("kill");
  expect(lease.engine.capabilities).not.toContain("diskFull");
});
