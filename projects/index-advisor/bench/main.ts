/**
 * `pnpm --filter @db-katas/index-advisor bench`: sets of indexes that several advisors choose, built and
 * measured in turns on the same server, within the same budgets. A budget is a share of what ours takes
 * when nothing limits it.
 */
import { appendFile, mkdir } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Estimate, pairedRatio } from "@db-katas/measure";
import Table from "cli-table3";
import type { Choice, Contender } from "./contender.ts";
import { openDta } from "./dta.ts";
import { naiveDta, singleColumn } from "./greedy.ts";
import { ours } from "./ours.ts";
import { type Raced, race } from "./race.ts";
import { openStage, type Stage } from "./stage.ts";

const { values: options } = parseArgs({
  options: {
    workload: { type: "string", multiple: true, default: ["tpch-like", "join-heavy"] },
    scale: { type: "string", default: "0.1" },
    seed: { type: "string", default: "1" },
    budget: { type: "string", multiple: true, default: ["25", "50", "100"] },
    turns: { type: "string", default: "7" },
    seconds: { type: "string", default: "60" },
    only: { type: "string", multiple: true },
  },
});
const [scale, seed, turns, seconds] = [
  options.scale,
  options.seed,
  options.turns,
  options.seconds,
].map(Number) as [number, number, number, number];
const shares = options.budget.map((percent) => Number(percent) / 100);

const wanted = (contender: string) => options.only?.includes(contender) ?? true;
const others: Contender[] = [];
if (wanted("single")) others.push(singleColumn);
if (wanted("naive")) others.push(naiveDta);
if (wanted("dta")) others.push(await openDta());

const FILE = join(import.meta.dirname, "..", ".kata", "bench", "results.jsonl");
await mkdir(join(FILE, ".."), { recursive: true });

interface Entry {
  readonly budget: number;
  readonly contender: string;
  readonly choice: Choice;
}

for (const name of options.workload) {
  await using stage = await openStage(name, scale, seed);
  const { engine } = stage.lease;
  console.log(
    `\n${name} at scale ${scale}, seed ${seed}: ${engine.name} ${engine.version}, ${availableParallelism()} cores, load ${load()}`,
  );
  const all = await chosen(stage, ours, Number.POSITIVE_INFINITY);
  const sized = await race(stage, [{ key: "all", indexes: all.indexes }], 0);
  const bytes = sized.get("all")?.sizeBytes ?? 0;
  console.log(
    `without a limit: ${all.indexes.length} indexes, ${megabytes(bytes)} MB, ${all.whatIfCalls} questions to the planner, ${all.seconds.toFixed(1)} s`,
  );
  const entries: Entry[] = [];
  for (const budget of shares) {
    for (const contender of [ours, ...others]) {
      // What it takes without a limit is what all of the budget is.
      const isAll = contender === ours && budget === 1;
      const choice = isAll
        ? all
        : await chosen(stage, contender, budget * bytes).catch((error) => {
            // One that fails shall not take the others' figures with it.
            console.log(`${contender.name} at ${budget * 100} % failed: ${error}`);
          });
      if (!choice) continue;
      entries.push({ budget, contender: contender.name, choice });
      console.error(`${contender.name} at ${budget * 100} %: ${choice.indexes.length} indexes`);
    }
  }
  // The same set need not run twice.
  const racers = new Map(
    [[], ...entries.map(({ choice }) => choice.indexes)].map((indexes) => [
      keyOf(indexes),
      indexes,
    ]),
  );
  const raced = await race(
    stage,
    [...racers].map(([key, indexes]) => ({ key, indexes })),
    turns,
  );
  await keep(name, entries, raced);
  show(entries, raced, bytes);
  console.log(`load ${load()} at the end`);
}

/** On a copy of its own, which is gone afterwards. */
async function chosen(stage: Stage, contender: Contender, budgetBytes: number): Promise<Choice> {
  const scratch = await stage.copy("scratch");
  try {
    const { target, statements } = stage;
    return await contender.choose({
      target,
      scratch,
      statements,
      budgetBytes,
      budgetMs: seconds * 1_000,
    });
  } finally {
    await stage.drop("scratch");
  }
}

function show(entries: readonly Entry[], raced: ReadonlyMap<string, Raced>, bytes: number): void {
  const of = (indexes: readonly string[]) => raced.get(keyOf(indexes));
  const none = of([])?.turns ?? [];
  const table = new Table({
    head: ["budget", "advisor", "indexes", "MB", "time, none = 1", "ours / it", "asked", "s"],
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  for (const { budget, contender, choice } of entries) {
    const found = of(choice.indexes);
    const own = entries.find((each) => each.budget === budget && each.contender === ours.name);
    const ownTurns = of(own?.choice.indexes ?? [])?.turns ?? [];
    const over = (found?.sizeBytes ?? 0) > budget * bytes ? " (over)" : "";
    table.push([
      `${budget * 100} %`,
      contender,
      choice.indexes.length,
      `${megabytes(found?.sizeBytes ?? 0)}${over}`,
      estimate(pairedRatio(found?.turns ?? [], none)),
      contender === ours.name ? "" : estimate(pairedRatio(ownTurns, found?.turns ?? [])),
      choice.whatIfCalls,
      choice.seconds.toFixed(1),
    ]);
  }
  console.log(table.toString());
}

async function keep(
  workload: string,
  entries: readonly Entry[],
  raced: ReadonlyMap<string, Raced>,
): Promise<void> {
  const at = new Date().toISOString();
  const none = raced.get(keyOf([]));
  const lines = [
    { at, workload, scale, seed, load: load(), contender: "none", ...none },
    ...entries.map(({ budget, contender, choice }) => ({
      at,
      workload,
      scale,
      seed,
      load: load(),
      budget,
      contender,
      ...choice,
      ...raced.get(keyOf(choice.indexes)),
    })),
  ];
  await appendFile(FILE, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

function keyOf(indexes: readonly string[]): string {
  return [...indexes].sort().join("\n");
}

function estimate({ value, low, high }: Estimate): string {
  const digits = (each: number) => each.toFixed(2);
  return Number.isNaN(low) ? digits(value) : `${digits(value)} (${digits(low)} … ${digits(high)})`;
}

function megabytes(bytes: number): string {
  return (bytes / 1_024 ** 2).toFixed(1);
}

function load(): number {
  return Number((loadavg()[0] ?? 0).toFixed(1));
}
