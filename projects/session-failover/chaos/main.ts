/** `pnpm --filter @db-katas/session-failover chaos`: seeded faults over a load, and what came of it. */
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { cacheFolder, EngineError, openEngines } from "@db-katas/engines";
import { fingerprint, freshSeed, GradingError, loadKata } from "@db-katas/grading";
import type { Target } from "./cluster.ts";
import { ChaosError } from "./errors.ts";
import { openLog } from "./log.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { renderPage } from "./page/page.ts";
import { type ChaosRun, runSchedule } from "./run.ts";
import { describeEvent, readSchedule, type Schedule, scheduleFrom } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import { failed, formatTotals, type RunResult, summarize, totalsOf } from "./summary.ts";
import { findTarget } from "./targets.ts";

const KATA = join(import.meta.dirname, "..");
/** Where the user is; pnpm has changed into the package's folder. */
const cwd = process.env.INIT_CWD ?? process.cwd();

try {
  process.exitCode = await main(readOptions(process.argv.slice(2), freshSeed()));
} catch (error) {
  const known = [ChaosError, EngineError, GradingError].some((kind) => error instanceof kind);
  const text = known ? `${(error as ChaosError).code}  ${(error as Error).message}` : error;
  console.error(text);
  process.exitCode = 2;
}

/** @returns the exit code: 1 when a run had anomalies */
async function main(options: Options): Promise<number> {
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  const schedules = options.schedule
    ? [await readSchedule(resolve(cwd, options.schedule))]
    : Array.from({ length: options.runs }, (_, index) => scheduleFrom(options.seed + index));
  if (options.print) {
    process.stdout.write(`${JSON.stringify(schedules[0], null, 2)}\n`);
    return 0;
  }
  const kata = await loadKata(KATA);
  const submission = await findTarget(kata, options.submission, cwd);
  const hash = await fingerprint(submission);
  const log = await openLog(options.log && resolve(cwd, options.log), {
    submission: submission.label,
    fingerprint: hash,
  });
  await using engines = await openEngines();
  const target: Target = {
    kata,
    submission,
    fingerprint: hash,
    engines,
    compileCache: join(cacheFolder(), "compile-cache"),
  };
  const say = (text: string) => {
    if (!options.json) process.stdout.write(`${text}\n`);
  };
  say(`${submission.label}, from seed ${schedules[0]?.seed} on`);

  const results: RunResult[] = [];
  let shown: ChaosRun | undefined;
  const report = () => {
    const totals = totalsOf(results);
    if (options.json) process.stdout.write(`${JSON.stringify({ totals, results }, null, 2)}\n`);
    else say(`\n${formatTotals(totals)}`);
  };
  const interrupted = () => {
    report();
    if (options.log) say(`\nInterrupted; the same command goes on where it was.`);
    const end = () => process.exit(130);
    engines[Symbol.asyncDispose]().then(end, end);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);

  const queue = [...schedules];
  const worker = async () => {
    for (let schedule = queue.shift(); schedule; schedule = queue.shift()) {
      const earlier = log.done.get(schedule.seed);
      if (earlier) {
        results.push(earlier);
        continue;
      }
      const run = await runSchedule(target, schedule);
      const result = summarize(run);
      results.push(result);
      await log.add(result);
      // The page is about the first run, or better the first one that has something to tell.
      if (!shown || (shown.anomalies.length === 0 && failed(result))) shown = run;
      say(formatRun(result, results.length, schedules.length));
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  report();

  const failing = results.find(failed);
  if (failing && options.shrink > 0) {
    say(`\nlooking for a smaller schedule that fails like seed ${failing.seed}`);
    const smallest = await shrink(
      failing.schedule,
      async (candidate) => (await runSchedule(target, candidate)).anomalies.length > 0,
      options.shrink,
    );
    say(JSON.stringify(smallest, null, 2));
  }
  if (options.html && shown) {
    await writeFile(resolve(cwd, options.html), renderPage(shown));
    say(`\ntimeline of seed ${shown.schedule.seed}: ${options.html}`);
  }
  return failing ? 1 : 0;
}

function formatRun(result: RunResult, number: number, of: number): string {
  const { seed, schedule, anomalies, texts } = result;
  const kinds = Object.entries(anomalies).map(([kind, count]) => `${count} ${kind}`);
  const verdict = kinds.length === 0 ? "ok" : kinds.join(", ");
  const events = schedule.events.map((event: Schedule["events"][number]) => describeEvent(event));
  return [
    `${String(number).padStart(String(of).length)}/${of}  seed ${seed}  ${verdict}`,
    ...(kinds.length === 0 ? [] : [...events, ...texts].map((line) => `      ${line}`)),
  ].join("\n");
}
