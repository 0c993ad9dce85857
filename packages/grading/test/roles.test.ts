/** An exercise may have several engines of one kind, each with a role. */
import { join } from "node:path";
import { type EngineRun, openEngines } from "@db-katas/engines";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  enginesOf,
  findSubmission,
  grade,
  type HeldCheck,
  type Kata,
  leasePrepared,
  loadKata,
  loadRubric,
  type Rubric,
  type Submission,
} from "../src/index.ts";

const ROLES = join(import.meta.dirname, "fixtures", "roles");

let engines: EngineRun;
let kata: Kata;
let rubric: Rubric;
let submission: Submission;
beforeAll(async () => {
  engines = await openEngines();
  kata = await loadKata(ROLES);
  rubric = await loadRubric(kata);
  submission = await findSubmission(join(ROLES, "src"), "reference");
});
afterAll(() => engines[Symbol.asyncDispose]());

describe("two engines of one kind", () => {
  it("are leased and prepared apart, and spoken of by their roles", async () => {
    let held: HeldCheck | undefined;
    const hold = async (check: HeldCheck) => {
      held = check;
    };
    const options = { kata, rubric, submission, engines, seed: 7, target: "roles", hold };
    const { checks, engines: met } = await grade(options);
    expect(checks[0]?.failure).toMatchObject({
      message: "this one fails, for its trace to be seen",
      received: "'sqlite'",
    });
    const told = checks[0]?.failure?.trace.map((line) => line.replaceAll(/\s*\(?\d+ ms\)? */g, ""));
    expect(told).toMatchInlineSnapshot(`
      [
        "legacy  createNode(…) → undefined",
        "legacy  preparedAs() → 'legacy'",
        "modern  createNode(…) → undefined",
        "modern  preparedAs() → 'modern'",
        "[fault] redis: delay { ms: 1 }",
        "[heal]  redis: delay is over",
      ]
    `);
    expect(checks[0]?.hints).toEqual(["modern is at an address."]);
    expect(held?.engines.map(({ role, engine }) => [role, engine]).sort()).toEqual([
      ["legacy", "sqlite"],
      ["modern", "sqlite"],
      ["redis", "redis"],
    ]);
    expect(new Set(held?.engines.map(({ adminUrl }) => adminUrl)).size).toBe(3);
    expect(met.map(({ name }) => name).sort()).toEqual(["redis", "sqlite"]);
    expect(enginesOf(kata.definition)).toEqual(["sqlite", "redis"]);
  });

  it("are leased for a look by their roles, too", async () => {
    await using modern = await leasePrepared({ kata, rubric, submission, engines, role: "modern" });
    expect(modern.engine.name).toBe("sqlite");
    await using plain = await leasePrepared({ kata, rubric, submission, engines, role: "sqlite" });
    expect(plain.namespace).not.toBe(modern.namespace);
  });
});
