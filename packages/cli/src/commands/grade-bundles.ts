import { readFile } from "node:fs/promises";
import { freshSeed, terminalPaint } from "@db-katas/grading";
import { type Progress, startProgress } from "../output.ts";
import { writeWhole } from "../results.ts";
import { chooseSeed, openSession } from "../session.ts";
import { sha256 } from "../submit/bundle.ts";
import { RegradeJournal } from "../submit/journal.ts";
import {
  nameOf,
  type Regraded,
  refusedBundle,
  regrade,
  sourcesFor,
  tryOpen,
} from "../submit/regrade.ts";
import { findLikenesses, givenTokens, type Likeness, tokensOf } from "../submit/similarity.ts";
import { formatCsv, formatRegraded, formatSummary, isOdd } from "../submit/summary.ts";
import { findKata, type Workspace } from "../workspace.ts";

export interface GradeBundlesOptions {
  readonly bundle: readonly string[];
  readonly csv?: string;
  readonly json?: boolean;
  readonly isolated?: boolean;
  readonly seed?: number;
  readonly concurrency: number;
}

/** `kata grade --bundle`. @returns the exit code: 1 where a person should look */
export async function gradeBundles(
  workspace: Workspace,
  options: GradeBundlesOptions,
): Promise<number> {
  const { bundle: files, isolated = false, concurrency } = options;
  const progress = startProgress({ quiet: options.json === true });
  await using session = await openSession(progress);
  const asked = process.env.KATA_SEED ? chooseSeed(options.seed) : options.seed;
  const journal = await RegradeJournal.open(workspace, isolated, asked, freshSeed);
  const { seed } = journal;
  tellBegin(files.length, seed, isolated, progress);
  const results: Regraded[] = [];
  const codes = new Map<string, Map<string, string[]>>();
  session.signal.addEventListener("abort", () => {
    process.stderr.write(
      `${results.length} of ${files.length} are graded and kept: the same command goes on from there.\n`,
    );
  });
  for (const [i, file] of files.entries()) {
    progress.update(`${i}/${files.length}  ${nameOf(file, undefined)}`);
    const opened = await tryOpen(file);
    const result = await one(i, file, opened);
    results.push(result);
    progress.line(formatRegraded(result));
    if (!("manifest" in opened) || result.kata === undefined) continue;
    const known = codes.get(result.kata) ?? new Map<string, string[]>();
    codes.set(result.kata, known.set(unique(result.name, known), tokensOf(opened.code)));
  }
  progress.stop();
  const likenesses = await compareAll(workspace, codes);
  if (options.csv) await writeWhole(options.csv, formatCsv(results, likenesses));
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ seed, isolated, results, likenesses }, null, 2)}\n`
      : `\n${formatSummary(results, likenesses)}\n`,
  );
  await journal.close();
  return results.some(isOdd) ? 1 : 0;

  async function one(
    i: number,
    file: string,
    opened: Awaited<ReturnType<typeof tryOpen>>,
  ): Promise<Regraded> {
    if (!("manifest" in opened)) return opened;
    const hash = sha256(await readFile(file));
    try {
      const sources = await sourcesFor(workspace, opened.manifest.kata);
      const known = journal.find(hash, sources);
      if (known) return { ...known, file };
      const how = { seed, isolated, concurrency };
      const result = await regrade(file, opened, workspace, session, how, i);
      await journal.append({ sha256: hash, sources, result });
      return result;
    } catch (error) {
      return refusedBundle(file, error);
    }
  }
}

function tellBegin(count: number, seed: number, isolated: boolean, progress: Progress): void {
  progress.line(terminalPaint("bold", `${count} bundles, seed ${seed}`));
  if (isolated) return;
  progress.line(
    "  Not isolated: what is in them can read and write your files. On Linux, add --isolated.",
  );
}

async function compareAll(
  workspace: Workspace,
  codes: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>,
): Promise<Likeness[]> {
  const all = await Promise.all(
    [...codes].map(async ([name, submissions]) =>
      findLikenesses(submissions, await givenTokens(await findKata(workspace, name))),
    ),
  );
  return all.flat();
}

/** Two may have the same name. */
function unique(name: string, known: ReadonlyMap<string, unknown>): string {
  for (let i = 1; ; i++) {
    const tried = i === 1 ? name : `${name} (${i})`;
    if (!known.has(tried)) return tried;
  }
}
