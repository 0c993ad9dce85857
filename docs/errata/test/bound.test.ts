import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseLog } from "@db-katas/measure";
import { describe, expect, test } from "vitest";
import { type Evidence, readErrata } from "../src/errata.ts";

const folder = join(import.meta.dirname, "..");
const projects = join(folder, "../../projects");
const errata = readErrata(folder);

/** Names of a test file's tests. */
function testsIn(file: string): string[] {
  const text = readFileSync(join(import.meta.dirname, file), "utf8");
  const names = text.matchAll(/^test(?:\.runIf\(.*?\))?\(\s*"([^"\n]+)"/gm);
  return [...names].map(([, name = ""]) => name);
}

function checksOf(kata: string): string[] {
  return readdirSync(join(projects, kata, "grading")).flatMap(
    (file) => /^\d+-(.*)\.grade\.ts$/.exec(file)?.[1] ?? [],
  );
}

function claimsOf(kata: string): string[] {
  return readdirSync(join(projects, kata))
    .filter((file) => file.endsWith("_DECISION_LOG.md"))
    .map((file) => readFileSync(join(projects, kata, file), "utf8"))
    .flatMap((log) => parseLog(log).claims.map(({ fields }) => fields.id));
}

/** Whether what an erratum rests on is there. That it also says so is what running it shows. */
function expectThere(evidence: Evidence): void {
  if ("mutant" in evidence) {
    const { kata, check, mutant } = evidence;
    expect(checksOf(kata)).toContain(check);
    const file = join(projects, kata, "mutants", mutant, "mutant.json");
    expect(existsSync(file), file).toBe(true);
    expect(JSON.parse(readFileSync(file, "utf8")).must).toContain(check);
  } else if ("claim" in evidence) {
    expect(claimsOf(evidence.kata)).toContain(evidence.claim);
  } else if ("test" in evidence) {
    expect(testsIn(evidence.file)).toContain(evidence.test);
  }
}

describe.each(errata)("$place $id", ({ evidence }) => {
  test.each(evidence.map((each) => ({ each, about: JSON.stringify(each) })))("$about", ({ each }) =>
    expectThere(each),
  );
});

test("ids are unique, and headings too", () => {
  for (const names of [errata.map(({ id }) => id), errata.map(({ title }) => title)]) {
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  }
});

test("no test of this folder stands for nothing", () => {
  const bound = new Set(
    errata.flatMap(({ evidence }) => evidence.map((each) => ("test" in each ? each.test : ""))),
  );
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".test.ts"));
  const tests = files.filter((file) => file !== "bound.test.ts").flatMap(testsIn);
  expect(tests.filter((name) => !bound.has(name))).toEqual([]);
});
