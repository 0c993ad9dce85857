import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { type Kata, loadMutants, loadRubric, type Mutant, type Rubric } from "@db-katas/grading";
import {
  type CheckedClaim,
  type Claim,
  checkClaim,
  type Experiment,
  loadExperiment,
  type MeasuredClaim,
  type OutsideClaim,
  parseLog,
} from "@db-katas/measure";
import { claimInvalid } from "@db-katas/measure/errors";
import { CliError } from "../errors.ts";
import { exists, type Workspace } from "../workspace.ts";

const LOGS = ["DATABASE_DECISION_LOG.md", "MIGRATION_DECISION_LOG.md"];

/** A claim of an exercise's decision log, and what puts it to the test. */
export type Bound = Place & Tested;

interface Place {
  readonly kata: Kata;
  /** The log that it stands in, and how to call that in messages. */
  readonly log: { readonly file: string; readonly label: string };
}

type Tested = Measurable | Checkable | { readonly claim: OutsideClaim };

interface Measurable {
  readonly claim: MeasuredClaim;
  readonly experiment: Experiment;
}

interface Checkable {
  readonly claim: CheckedClaim;
  /** Of the exercise, whole. */
  readonly rubric: Rubric;
  /** Those that the claim names. */
  readonly mutants: readonly Mutant[];
}

/**
 * All claims of the exercises' logs, each of which can be tested: what is wrong with one is said
 * before anything runs.
 * @param only ids of claims; default all
 * @throws CliError `CLAIM_UNKNOWN`
 * @throws MeasureError `CLAIM_INVALID`, `EXPERIMENT_INVALID`
 */
export async function readClaims(
  { root }: Workspace,
  katas: readonly Kata[],
  only?: readonly string[],
): Promise<Bound[]> {
  const bound: Bound[] = [];
  for (const kata of katas) {
    for (const name of LOGS) {
      const file = join(kata.folder, name);
      const label = relative(root, file);
      const markdown = await readFile(file, "utf8").catch(() => "");
      const { claims, problems } = parseLog(markdown);
      if (problems.length > 0) throw claimInvalid(label, problems);
      for (const claim of claims) {
        if (only && !only.includes(claim.fields.id)) continue;
        bound.push({ kata, log: { file, label }, ...(await bind(kata, claim, label)) });
      }
    }
  }
  const unknown = only?.find((id) => !bound.some(({ claim }) => claim.fields.id === id));
  if (unknown === undefined) return bound;
  const known = (await readClaims({ root }, katas)).map(({ claim }) => claim.fields.id);
  throw new CliError("CLAIM_UNKNOWN", `No claim is called "${unknown}".`, {
    likelyCause: `the ones that can be measured are ${known.join(", ") || "none"}`,
    remedy: "pnpm kata falsify --list",
  });
}

/** What is claimed: a predicate where there is one. */
export function wordsOf({ fields }: Claim): string {
  return "predicate" in fields ? fields.predicate : fields.says;
}

function bind(kata: Kata, claim: Claim, label: string): Promise<Tested> {
  switch (claim.kind) {
    case "measured":
      return withExperiment(kata, claim, label);
    case "checked":
      return withChecks(kata, claim, label);
    case "outside":
      return Promise.resolve({ claim });
  }
}

async function withExperiment(
  kata: Kata,
  claim: MeasuredClaim,
  label: string,
): Promise<Measurable> {
  const name = join("experiments", `${claim.fields.experiment}.experiment.ts`);
  const file = join(kata.folder, name);
  if (!(await exists(file))) {
    const message = `there is no experiment "${claim.fields.experiment}"; expected ${name} beside the log`;
    throw claimInvalid(label, [{ line: claim.place.line, column: 1, message }]);
  }
  const experiment = await loadExperiment(file);
  const problems = checkClaim(claim, experiment);
  if (problems.length > 0) throw claimInvalid(label, problems);
  return { claim, experiment };
}

async function withChecks(kata: Kata, claim: CheckedClaim, label: string): Promise<Checkable> {
  const rubric = await loadRubric(kata);
  const all = await loadMutants(kata, rubric);
  const { checks, mutants } = claim.fields;
  const lacking = [
    ...without(checks, rubric, ({ id }) => id).map((id) => `${kata.name} has no check "${id}"`),
    ...without(mutants, all, ({ name }) => name).map(
      (name) => `${kata.name} has no mutant "${name}"`,
    ),
  ];
  if (lacking.length > 0) {
    const { line } = claim.place;
    throw claimInvalid(
      label,
      lacking.map((message) => ({ line, column: 1, message })),
    );
  }
  return { claim, rubric, mutants: all.filter(({ name }) => mutants.includes(name)) };
}

/** Names that none of what there is has. */
function without<T>(
  names: readonly string[],
  all: readonly T[],
  nameOf: (each: T) => string,
): string[] {
  return names.filter((name) => !all.some((each) => nameOf(each) === name));
}
