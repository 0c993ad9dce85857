import { resolve } from "node:path";
import { terminalPaint } from "@db-katas/grading";
import type { HistoryEntry } from "@db-katas/measure";
import { startProgress } from "../output.ts";
import { type PredictedClaim, predictedClaims } from "../predict/falsified.ts";
import { writeWhole } from "../results.ts";
import { chooseSeed, openSession } from "../session.ts";
import { asTypedHere } from "../typed.ts";
import { describeBroken, findKata, findWorkspace, surveyKatas } from "../workspace.ts";
import { readHistory } from "./archive.ts";
import { type Bound, readClaims, wordsOf } from "./logs.ts";
import { falsifyAll, type Outcome } from "./run.ts";
import {
  exitCodeOf,
  formatEnvironment,
  formatMoment,
  formatOutcome,
  formatTotals,
} from "./text.ts";

export interface FalsifyOptions {
  readonly claim?: string[];
  readonly quick?: boolean;
  readonly list?: boolean;
  readonly write: boolean;
  readonly seed?: number;
  readonly turns?: number;
  readonly json?: boolean;
  readonly html?: string;
}

export async function falsifyCommand(
  name: string | undefined,
  options: FalsifyOptions,
): Promise<void> {
  const workspace = await findWorkspace(process.cwd());
  const { katas, broken } = name
    ? { katas: [await findKata(workspace, name)], broken: [] }
    : await surveyKatas(workspace, async (kata) => kata);
  process.stderr.write(asTypedHere(describeBroken(broken)));
  const claims = await readClaims(workspace, katas, options.claim);
  if (options.list) {
    process.stdout.write(claims.map(formatBound).join(""));
    return;
  }
  const size = options.quick ? "quick" : "full";
  const seed = chooseSeed(options.seed);
  const predictions = await predictedClaims(workspace, katas);
  const progress = startProgress({ quiet: options.json === true });
  await using session = await openSession(progress);
  progress.line(terminalPaint("bold", `falsify ${name ?? "all"} · ${size} · seed ${seed}\n`));
  try {
    const outcomes = await falsifyAll(claims, {
      engines: session.engines,
      signal: session.signal,
      compileCache: session.compileCache,
      size,
      seed,
      write: options.write && size === "full",
      turns: options.turns,
      onTurn: ({ claim }, at) => progress.update(formatMoment(claim.fields.id, at, claims.length)),
      onOutcome: (outcome) =>
        progress.line(
          `${formatOutcome(outcome, terminalPaint, predictedOf(outcome, predictions)?.said)}
`,
        ),
    });
    progress.stop();
    if (options.html !== undefined) await writePage(outcomes, predictions, size, options.html);
    report(outcomes, predictions, options, seed);
    if (broken.length > 0) process.exitCode ||= 1;
  } catch (error) {
    if (!session.signal.aborted) throw error;
    process.stderr.write("What was measured is kept; the same command goes on from there.\n");
    process.exitCode = 130;
  }
}

type Predictions = ReadonlyMap<string, PredictedClaim>;

function predictedOf({ bound }: Outcome, predictions: Predictions): PredictedClaim | undefined {
  return predictions.get(`${bound.kata.name} ${bound.claim.fields.id}`);
}

async function writePage(
  outcomes: readonly Outcome[],
  predictions: Predictions,
  size: HistoryEntry["size"],
  file: string,
): Promise<void> {
  // The plotting library is the slowest of all to load.
  const { pageOf } = await import("./page.ts");
  const katas = new Set(outcomes.map(({ bound }) => bound.kata));
  const history = (await Promise.all([...katas].map(readHistory))).flat();
  const page = await pageOf(outcomes, {
    history: history.filter((entry) => entry.size === size),
    about: aboutOf(outcomes),
    predicted: (outcome) => predictedOf(outcome, predictions)?.said,
    at: new Date(),
  });
  await writeWhole(resolve(file), page);
}

function aboutOf(outcomes: readonly Outcome[]): string {
  return formatEnvironment(
    outcomes.flatMap((outcome) =>
      "finding" in outcome && outcome.finding.verdict !== "not run"
        ? outcome.finding.environment
        : [],
    ),
  );
}

function report(
  outcomes: readonly Outcome[],
  predictions: Predictions,
  options: FalsifyOptions,
  seed: number,
): void {
  if (options.json) {
    const claims = outcomes.map((outcome) => ({
      kata: outcome.bound.kata.name,
      ...outcome.bound.claim.fields,
      // Undefined is left out of JSON.
      prediction: predictedOf(outcome, predictions),
      ...("finding" in outcome
        ? { finding: outcome.finding }
        : { error: { code: outcome.error.code, message: outcome.error.message } }),
    }));
    process.stdout.write(`${JSON.stringify({ seed, claims }, null, 2)}\n`);
  } else {
    const about = aboutOf(outcomes);
    process.stdout.write(`${about ? `${about}\n\n` : ""}${formatTotals(outcomes)}\n`);
  }
  process.exitCode = exitCodeOf(outcomes);
}

function formatBound({ kata, claim }: Bound): string {
  const { id, "last-measured": last } = claim.fields;
  const unmeasured =
    claim.kind === "outside" ? `outside: ${claim.fields.outside}` : "not measured yet";
  return `${kata.name} · ${id}\n  ${wordsOf(claim)}\n  ${last ?? unmeasured}\n`;
}
