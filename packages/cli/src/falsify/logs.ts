import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Kata } from "@db-katas/grading";
import {
  type Claim,
  checkClaim,
  type Experiment,
  loadExperiment,
  parseLog,
} from "@db-katas/measure";
import { claimInvalid } from "@db-katas/measure/errors";
import { CliError } from "../errors.ts";
import { exists, type Workspace } from "../workspace.ts";

const LOGS = ["DATABASE_DECISION_LOG.md", "MIGRATION_DECISION_LOG.md"];

/** A claim of an exercise's decision log, and what measures it. */
export interface Bound {
  readonly kata: Kata;
  readonly claim: Claim;
  readonly experiment: Experiment;
  /** The log that it stands in, and how to call that in messages. */
  readonly log: { readonly file: string; readonly label: string };
}

/**
 * All claims of the exercises' logs, each of which can be measured: what is wrong with one is said
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
        bound.push({ kata, claim, ...(await bind(kata, claim, label)), log: { file, label } });
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

async function bind(kata: Kata, claim: Claim, label: string): Promise<Pick<Bound, "experiment">> {
  const name = join("experiments", `${claim.fields.experiment}.experiment.ts`);
  const file = join(kata.folder, name);
  if (!(await exists(file))) {
    const message = `there is no experiment "${claim.fields.experiment}"; expected ${name} beside the log`;
    throw claimInvalid(label, [{ line: claim.place.line, column: 1, message }]);
  }
  const experiment = await loadExperiment(file);
  const problems = checkClaim(claim, experiment);
  if (problems.length > 0) throw claimInvalid(label, problems);
  return { experiment };
}
