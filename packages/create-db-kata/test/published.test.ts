/**
 * Workspaces outside of any clone, made of packages from a registry on loopback, one for each package
 * manager: what is made there installs, type-checks, lints, grades, verifies and is updated.
 * New exercises are a sample, drawn by `KATA_SEED`, of what can be had quickly, and those whose templates
 * have changed; with `KATA_COVERING=all` every pair of choices, which takes a while, and fetches what
 * engines need.
 */
import { appendFile, copyFile, cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import type { PackageManager } from "../src/workspace.ts";
import { type Choice, coveringSet, sampleSet } from "./covering.ts";
import { changedEngines, enginesHere } from "./engines-here.ts";
import { attempt, type Ran, run } from "./registry.ts";
import { itUpdates } from "./updates.ts";

const repo = join(import.meta.dirname, "..", "..", "..");
const isWhole = process.env.KATA_COVERING === "all";
const { here, missing } = await enginesHere(isWhole);
const seed = Number(process.env.KATA_SEED ?? 1);
const set = isWhole ? coveringSet(here) : sampleSet(here, seed, await changedEngines(repo));
const registry = inject("registry");

/** How long an exercise may take on a busy machine, in milliseconds. */
const VERIFY_MS = 600_000;
const INSTALL_MS = isWhole ? 1_200_000 : 300_000;

const PNPM = ["npx", "--yes", "pnpm@12.21.0"] as const;
const KATA = join(repo, "packages", "cli", "src", "main.ts");
const installs: Readonly<Record<PackageManager, readonly [string, ...string[]]>> = {
  pnpm: [...PNPM, "install", "--no-frozen-lockfile"],
  npm: ["npm", "install"],
};

const choicesOf = (pm: PackageManager) =>
  set.filter((choice) => choice.pm === pm) as [Choice, ...Choice[]];

interface Place {
  root: string;
  env: NodeJS.ProcessEnv;
}

/** A workspace with an attempt and new exercises, each as somebody asks for it. */
function useWorkspace(
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

describe("in a workspace of pnpm", () => {
  const place = useWorkspace("pnpm", ({ root, env }, { name, engines, shape }) => {
    const own = ["--new", name, "--engines", ...engines, "--shape", shape];
    const create = [...PNPM, "create", "db-kata", ".", "--kata", "session-failover"] as const;
    return run(root, env, ...create, "--no-git", ...own);
  });
  const report = () => join(place.root, "attempts/session-failover/.kata/report/grade.json");
  const points = async () => {
    const { scorecard } = JSON.parse(await readFile(report(), "utf8"));
    return (scorecard as { points: object }).points;
  };

  it(
    "its tests grade: the starter gets no point",
    async () => {
      const { stdout } = await attempt(place.root, place.env, ...PNPM, "test");
      expect(await points()).toMatchObject({ earned: 0, total: 75 });
      expect(stdout).toMatch(/\n0 passed, \d+ failed, \d+ skipped/);
    },
    VERIFY_MS,
  );

  const [edited, untouched] = choicesOf("pnpm").map(({ name }) => name);
  itUpdates(place, registry, [edited ?? "", untouched ?? ""]);

  it(
    "proves a claim of one's own, with the experiment that the starter has",
    async () => {
      const claim = "id: answers\nexperiment: reads\npredicate: p50(postgres) <= 30 ms";
      const log = join(place.root, "attempts/session-failover/src/DATABASE_DECISION_LOG.md");
      await appendFile(log, `\n\`\`\`claim\n${claim}\n\`\`\`\n`);
      const graded = await attempt(
        place.root,
        place.env,
        "kata",
        "grade",
        "session-failover",
        "--claims",
      );
      expect(graded.stdout + graded.stderr).toContain("5 of 10 points for claims");
    },
    VERIFY_MS,
  );

  it(
    "the solution gets all points",
    async () => {
      const { root, env } = place;
      await run(root, env, ...PNPM, "add", "-w", "-D", "@db-katas/session-failover-solution");
      const solution = join(root, "node_modules/@db-katas/session-failover-solution/src");
      const mine = join(root, "attempts/session-failover/src");
      await rm(mine, { recursive: true });
      await cp(solution, mine, { recursive: true });
      const args = ["kata", "grade", "session-failover", "--report", `json=${report()}`];
      await run(root, env, ...PNPM, ...args);
      expect(await points()).toMatchObject({ earned: 75, total: 75 });
    },
    VERIFY_MS,
  );

  it.runIf(isWhole)(
    "the solution, unpacked, is an exercise like any other, whose claims are put to the test",
    async () => {
      const { root, env } = place;
      const folder = join(root, "projects", "session-failover");
      await mkdir(folder);
      const file = join(registry.packed, "db-katas-session-failover-solution-0.1.0.tgz");
      await run(folder, env, "tar", "-xzf", file, "--strip-components=1");
      await run(root, env, ...installs.pnpm);
      const claim = ["--claim", "reads-share-commands", "--quick", "--json"];
      const ran = await attempt(root, env, "kata", "falsify", "session-failover", ...claim);
      expect(ran.stderr).toBe("");
      const [{ finding }] = JSON.parse(ran.stdout).claims;
      // Whether it holds here is the machine's business too: a busy one falsifies it.
      expect(finding).toMatchObject({ kind: "measured", comparisons: [{}, {}] });
    },
    VERIFY_MS,
  );
});

describe("what an exercise is published as", () => {
  const filesOf = async (name: string) => {
    const list = await run(registry.packed, registry.env, "tar", "-tzf", `${name}-0.1.0.tgz`);
    return list
      .trim()
      .split("\n")
      .map((path) => path.replace(/^package\//, ""));
  };
  const partsOf = (files: readonly string[]) => [
    ...new Set(files.map((path) => path.split("/")[0])),
  ];

  it("has no answer in the grader", async () => {
    const files = await filesOf("db-katas-session-failover");
    expect(partsOf(files).sort()).toEqual([
      ...["README.md", "contract.ts", "grading", "kata.js", "package.json", "starter"],
    ]);
    const grading = files.filter((path) => path.startsWith("grading/"));
    expect(grading.filter((path) => !/^grading\/[\w-]+(\.grade)?\.js$/.test(path))).toEqual([]);
  });

  it("has all that its author has in the solution", async () => {
    const files = await filesOf("db-katas-session-failover-solution");
    expect(partsOf(files)).toEqual(
      expect.arrayContaining([
        ...["src", "variants", "mutants", "experiments", "grading", "kata.ts", "tsconfig.json"],
        ...["DATABASE_DECISION_LOG.md", "README.md", "contract.ts", "starter", "package.json"],
      ]),
    );
    expect(files).toContain("mutants/fails-open/mutant.json");
  });

  it("has all that these files import", async () => {
    const files = await filesOf("db-katas-session-failover-solution");
    const folder = await mkdtemp(join(tmpdir(), "db-katas-unpacked-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(registry.packed, "db-katas-session-failover-solution-0.1.0.tgz");
    await run(folder, registry.env, "tar", "-xzf", file, "--strip-components=1");
    // A mutant's imports are found where it is laid over the reference.
    const sources = files.filter((path) => path.endsWith(".ts") && !path.startsWith("mutants/"));
    const missing = await Promise.all(
      sources.map(async (path) => {
        const text = await readFile(join(folder, path), "utf8");
        const imported = [...text.matchAll(/\bfrom "(\.[^"]+)"/g)].map(([, to = ""]) =>
          join(dirname(path), to),
        );
        return imported.filter((to) => !files.includes(to)).map((to) => `${path}: ${to}`);
      }),
    );
    expect(sources.length).toBeGreaterThan(20);
    expect(missing.flat()).toEqual([]);
  });
});

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
