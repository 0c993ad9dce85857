import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import nodePlop from "node-plop";
import { expect, test } from "vitest";
import { register } from "../src/register.ts";

test("the generator of plop makes an exercise from answers, and says what is wrong with them", async () => {
  const into = await mkdtemp(join(tmpdir(), "kata-generators-"));
  try {
    await mkdir(join(into, "projects"));
    const plop = await nodePlop();
    register(plop, { into });
    const generator = plop.getGenerator("exercise");
    const said = ["note-book", "Notes", "redis,sqlite", "http", ""];
    const answers = await generator.runPrompts(said);
    expect(answers).toEqual({
      name: "note-book",
      title: "Notes",
      engines: ["redis", "sqlite"],
      shape: "http",
      empty: "",
    });

    const first = await generator.runActions(answers);
    expect(first.failures).toEqual([]);
    expect(await readdir(join(into, "projects", "note-book", "src"))).toEqual([
      "index.ts",
      "redis.ts",
      "serve.ts",
      "sqlite.ts",
    ]);
    const second = await generator.runActions(answers);
    expect(second.failures[0]?.error).toContain("taken");
  } finally {
    await rm(into, { recursive: true, force: true });
  }
});
