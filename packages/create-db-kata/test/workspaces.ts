/**
 * Workspaces outside of any clone, made of packages from a registry on loopback, one for each package
 * manager: what is made there installs, type-checks, lints, grades, verifies and is updated.
 * New exercises are a sample, drawn by `KATA_SEED`, of what can be had quickly, and those whose templates
 * have changed; with `KATA_COVERING=all` every pair of choices, which takes a while, and fetches what
 * engines need.
 */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import type { PackageManager } from "../src/workspace.ts";
import { type Choice, coveringSet, sampleSet } from "./covering.ts";
import { changedEngines, enginesHere } from "./engines-here.ts";
import { attempt, type Ran, run } from "./registry.ts";

const repo = join(import.meta.dirname, "..", "..", "..");
export const isWhole = process.env.KATA_COVERING === "all";
const { here, missing } = await enginesHere(isWhole);
const seed = Number(process.env.KATA_SEED ?? 1);
const set = isWhole ? coveringSet(here) : sampleSet(here, seed, await changedEngines(repo));
/** Engines that can't be tried here, and why. */
export const notTried = missing;
export const registry = inject("registry");

/** How long an exercise may take on a busy machine, in milliseconds. */
export const VERIFY_MS = 600_000;
const INSTALL_MS = isWhole ? 1_200_000 : 600_000;

export const PNPM = ["npx", "--yes", "pnpm@12.21.0"] as const;
const KATA = join(repo, "packages", "cli", "src", "main.ts");
export const installs: Readonly<Record<PackageManager, readonly [string, ...string[]]>> = {
  pnpm: [...PNPM, "install", "--no-frozen-lockfile"],
  npm: ["npm", "install"],
};

export const choicesOf = (pm: PackageManager) =>
  set.filter((choice) => choice.pm === pm) as [Choice, ...Choice[]];

export interface Place {
  root: string;
  env: NodeJS.ProcessEnv;
}

/** A workspace with an attempt and new exercises, each as somebody asks for it. */
export function useWorkspace(
  pm: PackageManager,
  create: (place: Place, first: Choice) => Promise<unknown>,
) {
  const place: Place = { root: "", env: {} };
  const inside = (command: string, ...args: string[]) =>
    run(place.root, place.env, command, ...args);

  beforeAll(async () => {
    place.root = await mkdtemp(join(tmpdir(), `create-db-kata-${pm}-`));
    // As `pnpm exec` and `npx` have it: the workspace's own programs, Node among them.
    const path = [join(place.root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
    place.env = { ...registry.env, PATH: path };
    const [first, ...others] = choicesOf(pm);
    await create(place, first);
    // By the clone's own command, with one install for all: what it makes is the same.
    for (const { name, shape, engines } of others) {
      const said = [name, "--engines", ...engines, "--shape", shape, "--no-install"];
      await inside(process.execPath, KATA, "new", ...said);
    }
    if (others.length > 0) await inside(...installs[pm]);
    await copyFile(join(repo, "biome.json"), join(place.root, "biome.json"));
  }, INSTALL_MS);
  afterAll(() => rm(place.root, { recursive: true, force: true, maxRetries: 3 }), INSTALL_MS);

  it.each(choicesOf(pm))(
    "$name proves its grader, on $engines",
    async ({ name }) => {
      const folder = join("projects", name);
      await inside("tsc", "-p", folder);
      const biome = join(repo, "node_modules", ".bin", "biome");
      await inside(biome, "check", "--vcs-enabled=false", "--error-on-warnings", folder);
      const { results } = parsed(
        await attempt(place.root, place.env, "kata", "verify", name, "--json"),
      );
      const said = results.map(({ subject, problems, notGraded }) => [
        subject,
        notGraded ?? problems,
      ]);
      expect(said.filter(([, problems]) => problems?.length)).toEqual([]);
      expect(said.map(([subject]) => subject)).toContain("reference");
    },
    VERIFY_MS,
  );
  return place;
}

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
