/**
 * New exercises, generated, installed, type-checked, linted, graded and verified outside of any clone,
 * with packages from a registry on loopback. `KATA_COVERING=all`: every pair of choices, which takes a
 * while, and fetches what engines need; otherwise a sample of what can be had quickly.
 */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fetchableUnasked, openEngines } from "@db-katas/engines";
import { availableEngines, defaultTemplates } from "@db-katas/generators";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { PackageManager } from "../src/workspace.ts";
import { type Choice, coveringSet, sampleSet } from "./covering.ts";
import { attempt, type Ran, run } from "./registry.ts";

const repo = join(import.meta.dirname, "..", "..", "..");
const isWhole = process.env.KATA_COVERING === "all";
const { here, missing } = await enginesHere();
const set = isWhole ? coveringSet(here) : sampleSet(here);

/** How long an exercise may take on a busy machine, in milliseconds. */
const VERIFY_MS = 600_000;
const INSTALL_MS = 300_000;

const installs: Readonly<Record<PackageManager, [string, ...string[]]>> = {
  pnpm: ["npx", "--yes", "pnpm@12.21.0", "install", "--no-frozen-lockfile"],
  npm: ["npm", "install"],
};

describe.each(["pnpm", "npm"] as const)("in a workspace of %s", (pm) => {
  const choices = set.filter((choice) => choice.pm === pm);
  let root: string;
  let env: NodeJS.ProcessEnv;
  const inside = (command: string, ...args: string[]) => run(root, env, command, ...args);

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), `create-db-kata-${pm}-`));
    // As `pnpm exec` and `npx` have it: the workspace's own programs, Node among them.
    const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
    env = { ...inject("registry").env, PATH: path };
    const create = join(import.meta.dirname, "..", "dist", "main.js");
    const flags = ["--new", "first", "--engines", "sqlite", "--pm", pm, "--no-git", "--no-install"];
    await inside(process.execPath, create, ".", ...flags);
    // By the clone's own command: there is but one install then, and what it makes is the same.
    const kata = join(repo, "packages", "cli", "src", "main.ts");
    for (const { name, shape, engines } of choices) {
      const said = [name, "--engines", ...engines, "--shape", shape, "--no-install"];
      await inside(process.execPath, kata, "new", ...said);
    }
    await inside(...installs[pm]);
    await copyFile(join(repo, "biome.json"), join(root, "biome.json"));
  }, INSTALL_MS);
  afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 3 }));

  it.each(choices)(
    "$name proves its grader, on $engines",
    async ({ name }) => {
      const folder = join("projects", name);
      await inside("tsc", "-p", folder);
      const biome = join(repo, "node_modules", ".bin", "biome");
      await inside(biome, "check", "--vcs-enabled=false", "--error-on-warnings", folder);
      const { results } = parsed(await attempt(root, env, "kata", "verify", name, "--json"));
      const said = results.map(({ subject, problems, notGraded }) => [
        subject,
        notGraded ?? problems,
      ]);
      expect(said.filter(([, problems]) => problems?.length)).toEqual([]);
      expect(said.map(([subject]) => subject)).toContain("reference");
    },
    VERIFY_MS,
  );

  it(
    "grades the reference of the first one with full marks",
    async () => {
      const [{ name }] = choices as [Choice];
      const graded = await inside("kata", "grade", name, "--reference");
      expect(graded).toMatch(/ passed, 0 failed/);
    },
    VERIFY_MS,
  );
});

for (const { name, why } of missing) it.skip(`${name} (${why})`, () => {});

interface VerifyResult {
  readonly subject: string;
  readonly problems: readonly string[];
  readonly notGraded?: string;
}

/** An error says more than no JSON does. */
function parsed({ stdout, stderr }: Ran): { results: VerifyResult[] } {
  if (!stdout.startsWith("{")) throw new Error(`no results:\n${stdout}\n${stderr}`);
  return JSON.parse(stdout);
}

interface Engines {
  readonly here: readonly string[];
  readonly missing: readonly { readonly name: string; readonly why: string }[];
}

/** Of those that exercises are made for, who can be had on this machine; by a gate, without a big fetch. */
async function enginesHere(): Promise<Engines> {
  await using run = await openEngines();
  const names = (await availableEngines(defaultTemplates)).map(({ name }) => name);
  const asked = await Promise.all(
    names.map(async (name) => {
      const { chosen } = await run.probe(name);
      if (!chosen) return { name, why: "not offered here" };
      const isTaken = isWhole || fetchableUnasked(chosen);
      return { name, why: isTaken ? undefined : "more than a gate fetches: KATA_COVERING=all" };
    }),
  );
  return {
    here: asked.flatMap(({ name, why }) => (why === undefined ? name : [])),
    missing: asked.flatMap(({ name, why }) => (why === undefined ? [] : { name, why })),
  };
}
