import { basename } from "node:path";
import { z } from "zod";
import type { Kata } from "../kata.ts";
import type { CheckResult } from "../report/scorecard.ts";
import type { Rubric } from "../rubric.ts";
import { upperBound95 } from "./flake.ts";
import { deviation, expected, isCaught } from "./judge.ts";
import type { GradedSubject } from "./verify.ts";

const countsSchema = z
  .record(z.string(), z.int().min(1))
  .describe("how often each verdict was given, over the repetitions");

const flakySchema = z.object({
  subject: z.string(),
  check: z.string(),
  verdicts: countsSchema,
  unexpected: z.int().min(1).describe("how many of those came out other than they have to"),
});

export const killMatrixSchema = z
  .object({
    schemaVersion: z.literal(1),
    kata: z.string(),
    seed: z.int(),
    repeat: z.int().min(1),
    startedAt: z.iso.datetime(),
    node: z.string().describe("Node's version"),
    engines: z.array(z.object({ name: z.string(), version: z.string(), provider: z.string() })),
    checks: z.array(
      z.object({
        id: z.string(),
        number: z.int().min(0).describe("of its file: grading/<number>-<id>.grade.ts"),
        killedBy: z.int().min(0).describe("mutants that it caught in every repetition"),
        onlyKills: z.array(z.string()).describe("mutants that no other check caught"),
      }),
    ),
    rows: z.array(
      z.object({
        kind: z.enum(["reference", "starter", "variant", "mutant"]),
        name: z.string(),
        trap: z.string().optional(),
        cells: z.record(
          z.string(),
          z.object({
            expected: z.enum(["fail", "pass", "either"]),
            verdicts: countsSchema,
            unexpected: z.int().min(0),
          }),
        ),
      }),
    ),
    flake: z.object({
      runs: z.int().min(0).describe("check-runs whose verdict is settled by the manifests"),
      unexpected: z.int().min(0),
      upperBound95: z.number().min(0).max(1).describe("Clopper–Pearson, one-sided, per check-run"),
      cells: z.array(flakySchema),
    }),
  })
  .meta({ title: "db-katas kill matrix" });

export type KillMatrix = z.infer<typeof killMatrixSchema>;
export type MatrixRow = KillMatrix["rows"][number];
export type MatrixCell = MatrixRow["cells"][string];

export interface MatrixRun {
  readonly kata: Kata;
  readonly rubric: Rubric;
  readonly graded: readonly GradedSubject[];
  readonly seed: number;
  readonly repeat: number;
  readonly startedAt: Date;
}

/** Adds up what {@link verify} saw: each check against each subject. */
export function killMatrix({ kata, rubric, graded, ...run }: MatrixRun): KillMatrix {
  const rows = graded.map(rowOf);
  const engines = graded.flatMap(({ scorecards }) => scorecards.flatMap((each) => each.engines));
  return {
    schemaVersion: 1,
    kata: kata.name,
    seed: run.seed,
    repeat: run.repeat,
    startedAt: run.startedAt.toISOString(),
    node: process.version,
    engines: [...new Map(engines.map((engine) => [engine.name, engine])).values()]
      .map(({ name, version, provider }) => ({ name, version, provider }))
      .sort((a, b) => a.name.localeCompare(b.name)),
    checks: rubric.map(({ id, file }) => ({
      id,
      number: Number.parseInt(basename(file), 10),
      ...killsOf(id, rows),
    })),
    rows,
    flake: flakeOf(rows),
  };
}

/** In every repetition. */
export function isKill(cell: MatrixCell | undefined): boolean {
  const verdicts = Object.keys(cell?.verdicts ?? {}) as CheckResult["verdict"][];
  return verdicts.length > 0 && verdicts.every(isCaught);
}

function rowOf({ subject, scorecards }: GradedSubject): MatrixRow {
  const cells: Record<string, MatrixCell> = {};
  for (const check of scorecards.flatMap((scorecard) => scorecard.checks)) {
    cells[check.id] ??= { expected: expected(subject, check.id), verdicts: {}, unexpected: 0 };
    const cell = cells[check.id] as MatrixCell;
    cell.verdicts[check.verdict] = (cell.verdicts[check.verdict] ?? 0) + 1;
    if (deviation(subject, check) !== undefined) cell.unexpected += 1;
  }
  const { kind, name, mutant } = subject;
  return { kind, name, ...(mutant ? { trap: mutant.trap } : {}), cells };
}

function killsOf(check: string, rows: readonly MatrixRow[]) {
  const killed = rows.filter(({ kind, cells }) => kind === "mutant" && isKill(cells[check]));
  const elsewhere = (row: MatrixRow) =>
    Object.entries(row.cells).some(([id, cell]) => id !== check && isKill(cell));
  return {
    killedBy: killed.length,
    onlyKills: killed.filter((row) => !elsewhere(row)).map(({ name }) => name),
  };
}

/** What may fail and may pass has nothing to deviate from; what was not run counts for nothing. */
function flakeOf(rows: readonly MatrixRow[]): KillMatrix["flake"] {
  const cells = rows.flatMap((row) =>
    Object.entries(row.cells)
      .filter(([, cell]) => cell.expected !== "either")
      .map(([check, { verdicts, unexpected }]) => ({
        subject: row.name,
        check,
        verdicts,
        unexpected,
      })),
  );
  const runs = cells.reduce((sum, { verdicts }) => sum + runsOf(verdicts), 0);
  const unexpected = cells.reduce((sum, cell) => sum + cell.unexpected, 0);
  return {
    runs,
    unexpected,
    upperBound95: upperBound95(unexpected, runs),
    cells: cells.filter((cell) => cell.unexpected > 0),
  };
}

function runsOf(verdicts: MatrixCell["verdicts"]): number {
  return Object.entries(verdicts)
    .filter(([verdict]) => verdict !== "skipped" && verdict !== "not graded")
    .reduce((sum, [, count]) => sum + count, 0);
}
