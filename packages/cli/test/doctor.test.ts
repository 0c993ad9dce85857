import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEngines } from "@db-katas/engines";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineFinding } from "../src/doctor/exercises.ts";
import { exitCodeOf, type Finding, stateFor } from "../src/doctor/findings.ts";
import { runKata } from "./run-kata.ts";

const REPO = join(import.meta.dirname, "..", "..", "..");

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kata-doctor-"));
  await mkdir(join(root, "projects"));
  await writeFile(join(root, "pnpm-workspace.yaml"), 'packages: ["projects/*"]\n');
  const exercises = {
    counter: join(REPO, "packages", "grading", "test", "fixtures", "counter"),
    "session-failover": join(REPO, "projects", "session-failover"),
  };
  for (const [name, folder] of Object.entries(exercises))
    await symlink(folder, join(root, "projects", name));
});
afterAll(() => rm(root, { recursive: true }));

/** On a machine that has no programs, no container runtime and an empty cache. */
function doctor(args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const env = {
    NO_COLOR: "1",
    PATH: "/nonexistent",
    HOME: root,
    DOCKER_HOST: "unix:///nowhere",
    KATA_CACHE: join(root, "cache"),
    ...more,
  };
  return runKata(["doctor", ...args], { cwd: root, env });
}

const told = (text: string) =>
  text
    .replaceAll(root, "<workspace>")
    .replaceAll(/(node|machine|runs|cache): .*/g, "$1: …")
    .replaceAll(/(?<!127\.)\b(?!127)\d+\.\d+\.\d+(-beta\.\d+)?/g, "<version>");

describe("kata doctor", () => {
  it("says of each exercise what it can't have here, why, and what to type", async () => {
    const { code, stdout, stderr } = await doctor([], { KATA_INSTALL: "never" });
    expect(stderr).toBe("");
    expect(told(stdout)).toMatchSnapshot();
    expect(code).toBe(1);
  });

  it("says which checks ask more of an engine than the one that is there can do", async () => {
    await using run = await openEngines();
    await using postgres = await run.lease("postgres");
    await using redis = await run.lease("redis");
    const { code, stdout } = await doctor(["session-failover"], {
      KATA_ENGINES: "external",
      KATA_POSTGRES_URL: postgres.engine.adminUrl,
      KATA_REDIS_URL: redis.engine.adminUrl,
    });
    expect(told(stdout).replaceAll(/:\d{4,5}\b/g, ":<port>")).toMatchSnapshot();
    expect(code).toBe(1);
  });

  it("is content with an exercise that has all it needs", async () => {
    const { code, stdout } = await doctor(["counter"]);
    expect(told(stdout)).toMatchSnapshot();
    expect(code).toBe(0);
  });

  it("tells programs which checks would not be graded", async () => {
    const args = ["session-failover", "--json"];
    const { code, stdout } = await doctor(args, { KATA_ENGINES: "external" });
    const report = JSON.parse(stdout);
    expect(code).toBe(1);
    expect(report.ready).toBe(false);
    expect(report.exercises).toHaveLength(1);
    const [exercise] = report.exercises;
    expect(exercise).toMatchObject({ exercise: "session-failover", ready: false, checks: 22 });
    expect(exercise.notGraded).toHaveLength(21);
    expect(exercise.notGraded).not.toContain("local-sqlite");
  });

  it("knows the exercises by name", async () => {
    const { code, stderr } = await doctor(["contuer"]);
    expect(stderr).toMatch(/KATA_UNKNOWN.*contuer/);
    expect(code).toBe(2);
  });
});

describe("whom it takes", () => {
  const finding = (state: Finding["state"]): Finding => ({ what: "x", state, detail: "" });

  it.each([
    [["ok", "note"], 0],
    [["ok", "fixable"], 1],
    [["fixable", "administrator"], 2],
  ] as const)("%j ends with exit code %i", (states, code) => {
    expect(exitCodeOf(states.map(finding))).toBe(code);
  });

  it("is an administrator only where every way asks for one", () => {
    const only = process.getuid?.() === 0 ? "fixable" : "administrator";
    expect(stateFor(["sudo apt-get install redis-server"])).toBe(only);
    expect(stateFor(["sudo apt-get install x", "pnpm kata engines install x"])).toBe("fixable");
    expect(stateFor([])).toBe("fixable");
  });
});

it("says what an engine may take of the machine's memory, and when that is too much", () => {
  const probe = {
    engine: "tidb",
    offers: [],
    chosen: {
      provider: "container" as const,
      offered: true as const,
      capabilities: [],
      source: "containers of pd:1.0, tidb:1.0",
      memoryBytes: 8e9,
    },
  };
  expect(engineFinding(probe, 16e9)).toMatchObject({
    state: "ok",
    detail: "as container: containers of pd:1.0, tidb:1.0; it may take 8 GB of memory",
  });
  expect(engineFinding(probe, 4e9)).toMatchObject({
    state: "administrator",
    remedy: "a machine with 8 GB of memory or more; this one has 4 GB",
  });
});
