import { appendFile, cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { attempt, run } from "./registry.ts";
import { itUpdates } from "./updates.ts";
import {
  choicesOf,
  installs,
  isWhole,
  notTried,
  PNPM,
  registry,
  useWorkspace,
  VERIFY_MS,
} from "./workspaces.ts";

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

for (const { name, why } of notTried) it.skip(`${name} (${why})`, () => {});
