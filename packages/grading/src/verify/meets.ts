import type { Rubric } from "../rubric.ts";
import { randomFrom, seedFor } from "../seed.ts";
import type { Subject } from "./subjects.ts";

/** How many variants a check meets when nobody asks for more. */
export const VARIANTS_PER_CHECK = 2;

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
  readonly seed: number;
}

/**
 * Who meets which checks. Reference and starter meet all; a mutant what it must fail, whatever becomes
 * of the checks that those depend on: it was written for them. Variants share the checks among them
 * as evenly as they can.
 */
export function meetings(subjects: readonly Subject[], options: MeetingOptions): Meeting[] {
  const rubric = options.rubric.filter(({ id }) => options.checks?.includes(id) ?? true);
  const drawn = drawVariants(subjects, rubric, options);
  return subjects.flatMap((subject) => {
    const { mutant } = subject;
    const meets = (id: string) =>
      mutant
        ? options.full === true || mutant.must.includes(id)
        : (drawn.get(subject)?.has(id) ?? true);
    const met = rubric.filter(({ id }) => meets(id));
    const isMet = (id: string) => met.some((check) => check.id === id);
    const checks = met.map((check) => ({
      ...check,
      dependsOn: mutant?.must.includes(check.id) ? [] : (check.dependsOn ?? []).filter(isMet),
    }));
    if (checks.length === 0) return [];
    if (!drawn.has(subject)) return [{ subject, checks }];
    const expectation = `passes ${checks.length} of ${rubric.length} checks, drawn by the seed`;
    return [{ subject: { ...subject, expectation }, checks }];
  });
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
