import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { attempt, run } from "./registry.ts";
import { useWorkspace } from "./workspaces.ts";

describe("in a workspace of npm", () => {
  const place = useWorkspace("npm", async ({ root, env }, { name, engines, shape }) => {
    // npx has what it fetched last under the name alone, from whatever registry that was.
    const npm_config_cache = join(root, "cache");
    const create = ["npm", "create", "--yes", "db-kata", "--", "."] as const;
    const flags = ["--kata", "session-failover", "--pm", "npm", "--no-git", "--force"];
    await run(root, { ...env, npm_config_cache }, ...create, ...flags, "--no-install");
    await rm(npm_config_cache, { recursive: true });
    await run(root, env, "npm", "install");
    const own = [name, "--engines", ...engines, "--shape", shape];
    await run(root, env, "npx", "kata", "new", ...own);
  });

  it("grades", async () => {
    const { root, env } = place;
    const args = ["kata", "grade", "session-failover", "--check", "roundtrip"];
    const graded = await attempt(root, env, "npx", ...args);
    expect(`${graded.code} ${graded.stdout}`).toMatch(/^[13] [\s\S]*\n *0 of \d+ points/);
  }, 120_000);
});
