import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Check, CheckWithPreparation, SubmissionContract } from "./check.ts";
import { GradingError } from "./errors.ts";
import { engineOf, type Kata, messageOf } from "./kata.ts";

/** Compiled in a published exercise. */
const CHECK_FILE = /^(\d+)-(.+)\.grade\.[jt]s$/;

/** An exercise's checks in the order of their file names. */
export type Rubric = readonly Check[];

export interface RubricOptions {
  /** Whether an exercise without a check, which nobody can grade with, has a rubric, too. */
  readonly mayBeEmpty?: boolean;
}

/**
 * Reads `grading/*.grade.ts`. The file's name is the check's id, its number the order.
 * @throws GradingError `RUBRIC_INVALID`
 */
export async function loadRubric(kata: Kata, options: RubricOptions = {}): Promise<Rubric> {
  const folder = join(kata.folder, "grading");
  const names = (await readdir(folder).catch(() => [])).filter((name) =>
    /\.grade\.[jt]s$/.test(name),
  );
  const checks: Check[] = [];
  for (const name of names.sort()) {
    const id = CHECK_FILE.exec(name)?.[2];
    const file = join(folder, name);
    if (!id) {
      throw new GradingError("RUBRIC_INVALID", `${file} is not named <number>-<id>.grade.ts.`);
    }
    let definition: CheckWithPreparation<SubmissionContract> | undefined;
    try {
      const module = (await import(pathToFileURL(file).href)) as {
        default?: CheckWithPreparation<SubmissionContract>;
      };
      definition = module.default;
    } catch (cause) {
      throw new GradingError("RUBRIC_INVALID", `${file} could not be loaded: ${messageOf(cause)}`, {
        remedy: `pnpm exec tsc -p ${kata.folder}`,
        cause,
      });
    }
    if (!definition?.run || !definition.title) {
      throw new GradingError("RUBRIC_INVALID", `${file} does not default-export a check.`);
    }
    checks.push({ ...definition, id, file, engines: assigned(definition.engines, kata) });
  }
  if (checks.length === 0 && !options.mayBeEmpty) {
    throw new GradingError("RUBRIC_INVALID", `${kata.name} has no check yet.`, {
      likelyCause: `nothing in ${folder} is named <number>-<id>.grade.ts`,
      remedy: `write ${join(folder, "01-<id>.grade.ts")}; docs/authors-guide.md shows how`,
    });
  }
  validate(kata, checks);
  return checks;
}

/** A role of a check that kata.ts lacks stays as it is, for {@link validate} to find. */
function assigned(engines: Check["engines"], { definition }: Kata): Check["engines"] {
  return Object.fromEntries(
    Object.entries(engines).map(([role, needs]) => {
      const engine = engineOf(role, definition.engines[role] ?? {});
      return [role, { ...needs, engine }];
    }),
  );
}

function validate(kata: Kata, checks: readonly Check[]): void {
  const fail = (text: string): never => {
    throw new GradingError("RUBRIC_INVALID", `The rubric of ${kata.name} is wrong: ${text}`);
  };
  const seen = new Set<string>();
  for (const check of checks) {
    if (seen.has(check.id)) fail(`two checks are called ${check.id}.`);
    for (const dependency of check.dependsOn ?? []) {
      if (!seen.has(dependency))
        fail(`${check.id} depends on ${dependency}, which isn't before it.`);
    }
    for (const role of Object.keys(check.engines)) {
      if (!kata.definition.engines[role]) fail(`${check.id} uses ${role}, which kata.ts lacks.`);
    }
    if (!kata.definition.concepts.includes(check.concept)) {
      fail(`${check.id} probes "${check.concept}", which is none of kata.ts' concepts.`);
    }
    if (!Number.isInteger(check.points) || check.points < 1) {
      fail(`${check.id} has ${check.points} points; it takes a whole number from 1 on.`);
    }
    if (check.hints.length === 0) fail(`${check.id} has no hint.`);
    seen.add(check.id);
  }
}

/** A check and everything that it depends on, in order. */
export function withDependencies(rubric: Rubric, ids: readonly string[]): Rubric {
  const wanted = new Set<string>();
  const visit = (id: string) => {
    const check = rubric.find((candidate) => candidate.id === id);
    if (!check) {
      throw new GradingError("CHECK_UNKNOWN", `There is no check called ${id}.`, {
        likelyCause: `the rubric holds ${rubric.map((known) => known.id).join(", ")}`,
      });
    }
    wanted.add(id);
    for (const dependency of check.dependsOn ?? []) visit(dependency);
  };
  for (const id of ids) visit(id);
  return rubric.filter((check) => wanted.has(check.id));
}

/** Checks without what they depend on: that has had its say in a grade of all. */
export function onlyThese(rubric: Rubric, ids: readonly string[]): Rubric {
  return withDependencies(rubric, ids)
    .filter(({ id }) => ids.includes(id))
    .map((check) => ({ ...check, dependsOn: [] }));
}
