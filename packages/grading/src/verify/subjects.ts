import { join } from "node:path";
import { GradingError } from "../errors.ts";
import type { Kata } from "../kata.ts";
import type { Rubric } from "../rubric.ts";
import { findSubmission, type Submission } from "../submission/submission.ts";
import { loadMutants, loadVariants, type Mutant } from "./manifest.ts";
import { composeMutant } from "./overlay.ts";

/** One answer that comes with an exercise, and what its grade has to be. */
export interface Subject {
  readonly kind: "reference" | "starter" | "variant" | "mutant";
  /** `reference`, `starter`, or the name of its folder. */
  readonly name: string;
  /** For people: `mutant offline-queue`. */
  readonly label: string;
  readonly expectation: string;
  /** What people type after `kata grade` to grade it. */
  readonly target: string;
  /** Set for a mutant. */
  readonly mutant?: Mutant;
  open(): Promise<Submission>;
}

/** Reference, starter, variants and mutants, in this order. @throws GradingError `MANIFEST_INVALID` */
export async function loadSubjects(kata: Kata, rubric: Rubric): Promise<Subject[]> {
  const [mutants, variants] = await Promise.all([loadMutants(kata, rubric), loadVariants(kata)]);
  return [
    {
      kind: "reference",
      name: "reference",
      label: "reference",
      expectation: "gets full marks",
      target: `${kata.name} --reference`,
      open: () => findSubmission(join(kata.folder, "src"), "reference"),
    },
    {
      kind: "starter",
      name: "starter",
      label: "starter",
      expectation: "fails every check with a message of its own tasks",
      target: `${kata.name} --starter`,
      open: () => findSubmission(join(kata.folder, "starter"), "starter"),
    },
    ...variants.map(
      ({ name, folder }): Subject => ({
        kind: "variant",
        name,
        label: `variant ${name}`,
        expectation: "gets full marks",
        target: `${kata.name} --variant ${name}`,
        open: () => findSubmission(folder, `variant ${name}`),
      }),
    ),
    ...mutants.map(
      (mutant): Subject => ({
        kind: "mutant",
        name: mutant.name,
        label: `mutant ${mutant.name}`,
        expectation: `fails ${mutant.must.join(", ")}`,
        target: `${kata.name} --mutant ${mutant.name}`,
        mutant,
        open: once(() => composeMutant(kata, mutant)),
      }),
    ),
  ];
}

/** Two at the same moment would make the same folder. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

/**
 * @param names of subjects, or `variants` and `mutants` for all of them
 * @throws GradingError `SUBJECT_UNKNOWN`
 */
export function pickSubjects(subjects: readonly Subject[], names: readonly string[]): Subject[] {
  const means = (name: string, subject: Subject) =>
    subject.name === name || `${subject.kind}s` === name;
  const unknown = names.find((name) => !subjects.some((subject) => means(name, subject)));
  if (unknown !== undefined) {
    throw new GradingError("SUBJECT_UNKNOWN", `There is nothing called ${unknown} to verify.`, {
      likelyCause: `there are ${subjects.map(({ name }) => name).join(", ")}; variants and mutants mean all of them`,
    });
  }
  return subjects.filter((subject) => names.some((name) => means(name, subject)));
}
