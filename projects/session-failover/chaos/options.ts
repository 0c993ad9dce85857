/** The command line of the chaos monkey. */
import { parseArgs } from "node:util";
import { ChaosError } from "./errors.ts";

export interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly submission: string;
  readonly concurrency: number;
  /** So many runs at most to look for a smaller schedule. */
  readonly shrink: number;
  readonly schedule?: string | undefined;
  readonly html?: string | undefined;
  readonly log?: string | undefined;
  readonly json: boolean;
  readonly print: boolean;
  readonly help: boolean;
}

export const usage = `chaos: seeded faults over a load, and whether anything was lost

  --submission <name>  reference (default), "variant <name>", "mutant <name>", or a folder
  --runs <n>           how many schedules (default 10)
  --seed <n>           the first schedule's seed; the others follow it
  --schedule <file>    this schedule instead
  --print              print the first schedule and run nothing
  --concurrency <n>    runs at the same moment (default 1: more of them slow each other down)
  --log <file>         keep results, a line each; the same command again skips what is there
  --shrink <n>         look for a smaller schedule that fails, in at most so many runs
  --html <file>        a page with the timeline of the first run that failed, or of the first
  --json               figures and results as JSON on stdout
  --help

Exit codes:
  0  nothing was lost, resurrected, stale or late
  1  something was
  2  an error of ours or of this machine
`;

/** @throws ChaosError `OPTION_INVALID` */
export function readOptions(args: readonly string[], freshSeed: number): Options {
  const values = parse(args);
  const seed = process.env.KATA_SEED;
  return {
    runs: whole("--runs", values.runs ?? "10", 1, 100_000),
    seed: whole("--seed", values.seed ?? seed ?? String(freshSeed), 0, 2 ** 31 - 1),
    submission: values.submission ?? "reference",
    concurrency: whole("--concurrency", values.concurrency ?? "1", 1, 16),
    shrink: whole("--shrink", values.shrink ?? "0", 0, 1_000),
    schedule: values.schedule,
    html: values.html,
    log: values.log,
    json: values.json ?? false,
    print: values.print ?? false,
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: args.filter((arg) => arg !== "--"),
      options: {
        runs: { type: "string" },
        seed: { type: "string" },
        submission: { type: "string" },
        concurrency: { type: "string" },
        shrink: { type: "string" },
        schedule: { type: "string" },
        html: { type: "string" },
        log: { type: "string" },
        json: { type: "boolean" },
        print: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(`${option} takes a whole number from ${least} to ${most}, not ${text}.`);
}

function invalid(happened: string, cause?: unknown): ChaosError {
  return new ChaosError("OPTION_INVALID", happened, {
    remedy: "pnpm --filter @db-katas/session-failover chaos --help",
    cause,
  });
}
