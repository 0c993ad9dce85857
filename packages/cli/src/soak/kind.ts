import type { EngineRun } from "@db-katas/engines";
import {
  formatFailure,
  type Kata,
  type KillMatrix,
  killMatrix,
  plainPaint,
  type Rubric,
  type Subject,
  verify,
} from "@db-katas/grading";
import type { Session } from "../session.ts";

/** Where work items do their work. */
export interface SoakContext {
  readonly kata: Kata;
  readonly rubric: Rubric;
  readonly subjects: readonly Subject[];
  readonly session: Pick<Session, "compileCache" | "signal"> & { readonly engines: EngineRun };
}

/** What came of a work item: how many check-runs, and those that came out other than they have to. */
export type SoakOutcome = Pick<KillMatrix["flake"], "runs" | "unexpected" | "cells"> & {
  /** What people would have been told by the checks that failed and don't have to. */
  readonly failures: string[];
};

/** A kind of work for the soak, cut into items that take seconds to a minute. One file each. */
export interface SoakKind {
  /** As people type it. */
  readonly name: string;
  /** For people: what it does. */
  readonly title: string;
  /** The names of its items, the same each time. */
  items(subjects: readonly Subject[]): string[];
  run(item: string, seed: number, context: SoakContext): Promise<SoakOutcome>;
}

/** One subject against the whole rubric, once. */
export async function gradeFully(
  name: string,
  seed: number,
  { kata, rubric, session }: SoakContext,
): Promise<SoakOutcome> {
  const startedAt = new Date();
  const { graded } = await verify({
    kata,
    rubric,
    engines: session.engines,
    seed,
    full: true,
    types: false,
    choose: (subjects) => subjects.filter((subject) => subject.name === name),
    compileCache: session.compileCache,
    signal: session.signal,
  });
  const { flake } = killMatrix({ kata, rubric, graded, seed, repeat: 1, startedAt });
  const { runs, unexpected, cells } = flake;
  const strange = new Set(cells.map(({ check }) => check));
  const failures = graded
    .flatMap(({ scorecards }) => scorecards.flatMap(({ checks }) => checks))
    .filter((check) => strange.has(check.id) && check.failure)
    .map((check) => `${check.id}\n${formatFailure(check, plainPaint)}`);
  return { runs, unexpected, cells, failures };
}
