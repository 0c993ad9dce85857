import type { Rubric } from "../rubric.ts";
import { randomFrom, seedFor } from "../seed.ts";
import type { Subject } from "./subjects.ts";

/** How many variants a check meets when nobody asks for more. */
export const VARIANTS_PER_CHECK = 2;

/** How many of the variants, and of the mutants that must fail it, a check meets in a draw. */
export const DRAWN_PER_CHECK = 1;

/** A subject, and the checks that it meets. */
export interface Meeting {
  readonly subject: Subject;
  readonly checks: Rubric;
}

export interface MeetingOptions {
  readonly rubric: Rubric;
  /** Ids of the only checks to run. Default: all. */
  readonly checks?: readonly string[] | undefined;
  /** Mutants meet every check, not only those that they must fail. */
  readonly full?: boolean | undefined;
  /** How many variants a check meets, drawn by the seed. Default: all of them. */
  readonly variantsPerCheck?: number | undefined;
  /** How many of the mutants that it must fail a check meets, drawn by the seed. Default: all of them. */
  readonly mutantsPerCheck?: number | undefined;
  readonly seed: number;
}

/**
 * Who meets which checks. Reference and starter meet all; a mutant what it must fail, whatever becomes
 * of the checks that those depend on: it was written for them. Variants share the checks among them
 * as evenly as they can. With `mutantsPerCheck`, whoever is drawn for no check meets none, and is left out.
 */
export function meetings(subjects: readonly Subject[], options: MeetingOptions): Meeting[] {
  const rubric = options.rubric.filter(({ id }) => options.checks?.includes(id) ?? true);
  const drawn = new Map([
    ...drawVariants(subjects, rubric, options),
    ...drawMutants(subjects, rubric, options),
  ]);
  return subjects.flatMap((subject) => {
    const { mutant } = subject;
    const meets = (id: string) =>
      drawn.get(subject)?.has(id) ??
      (mutant === undefined || options.full === true || mutant.must.includes(id));
    const met = rubric.filter(({ id }) => meets(id));
    const isMet = (id: string) => met.some((check) => check.id === id);
    const checks = met.map((check) => ({
      ...check,
      dependsOn: mutant?.must.includes(check.id) ? [] : (check.dependsOn ?? []).filter(isMet),
    }));
    if (checks.length === 0) return [];
    const expectation = drawn.has(subject) ? drawnExpectation(subject, met, rubric) : undefined;
    return [{ subject: expectation ? { ...subject, expectation } : subject, checks }];
  });
}

/** What is asked of somebody who meets only what was drawn; undefined where that is all the same. */
function drawnExpectation({ mutant }: Subject, met: Rubric, rubric: Rubric): string | undefined {
  if (!mutant) return `passes ${met.length} of ${rubric.length} checks, drawn by the seed`;
  if (met.length === mutant.must.length) return undefined;
  return `fails ${met.map(({ id }) => id).join(", ")}, drawn by the seed`;
}

/** The ids of the checks that each mutant meets; empty where each meets all that it must fail. */
function drawMutants(
  subjects: readonly Subject[],
  rubric: Rubric,
  { mutantsPerCheck, full, seed }: MeetingOptions,
): Map<Subject, Set<string>> {
  if (mutantsPerCheck === undefined || full) return new Map();
  const mutants = subjects.filter(({ mutant }) => mutant !== undefined);
  const drawn = new Map(mutants.map((subject) => [subject, new Set<string>()]));
  for (const { id } of rubric) {
    // Of its own for each check: a mutant more for one of them changes no other's draw.
    const random = randomFrom(seedFor(seed, `mutants of ${id}`));
    const fatal = mutants.filter(({ mutant }) => mutant?.must.includes(id));
    for (const subject of random.shuffle(fatal).slice(0, mutantsPerCheck)) {
      drawn.get(subject)?.add(id);
    }
  }
  return drawn;
}

/** The ids of the checks that each variant meets; empty where they all meet all. */
function drawVariants(
  subjects: readonly Subject[],
  rubric: Rubric,
  { variantsPerCheck, seed }: MeetingOptions,
): Map<Subject, Set<string>> {
  const variants = subjects.filter(({ kind }) => kind === "variant");
  if (variantsPerCheck === undefined || variants.length <= variantsPerCheck) return new Map();
  const random = randomFrom(seedFor(seed, "variants"));
  const dealt = random.shuffle(variants).map((variant) => [variant, new Set<string>()] as const);
  for (const [turn, { id }] of random.shuffle(rubric).entries()) {
    for (let i = 0; i < variantsPerCheck; i++) {
      dealt[(turn * variantsPerCheck + i) % dealt.length]?.[1].add(id);
    }
  }
  return new Map(dealt);
}

/** The labels of the mutants that meet nobody. */
export function leftOut(subjects: readonly Subject[], meetings: readonly Meeting[]): string[] {
  const met = new Set(meetings.map(({ subject }) => subject.label));
  return subjects.flatMap(({ mutant, label }) => (mutant && !met.has(label) ? label : []));
}
