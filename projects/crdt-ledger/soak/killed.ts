/**
 * `pnpm --filter @db-katas/crdt-ledger survives`: servers and PostgreSQL are killed while people work. Exits
 * with 1 where something was lost that was acknowledged, or anything else came out wrong.
 */
import { resolve } from "node:path";
import { EngineError, openEngines } from "@db-katas/engines";
import { freshSeed } from "@db-katas/grading";
import { Cluster } from "./killed/cluster.ts";
import type { RunResult } from "./killed/run.ts";
import { soakKilled, totalsOf } from "./killed/soak.ts";
import { count, optionsOf } from "./options.ts";

const USAGE = `Kills servers and PostgreSQL while four people draw and pay, and says what was lost.

  pnpm --filter @db-katas/crdt-ledger survives [options]

In each run four people push their changes to two servers on one PostgreSQL. Once to three times SIGKILL comes to
a server, to both, to PostgreSQL, or to several of these at once; when, is counted in acknowledgements. What died
is started again, people connect again, say hello and push what wasn't acknowledged. In some runs a compaction is
under way. In the end all that was acknowledged must be in the log once, and everybody see the same, whoever
comes new with nothing included.

  --runs <n>           how many runs (default: 200)
  --seed <n>           of the first run, the others follow (default: another one each time). A seed says who does
                       what and what dies after which acknowledgement; what is on its way then is up to the machine
  --submission <path>  whose servers and replicas (default: the reference)
  --help               this text

Exits with 1 where a run failed, and with 2 where none could be done. One run again, on an attempt of yours:

  pnpm --filter @db-katas/crdt-ledger survives --runs 1 --seed 7 --submission attempts/crdt-ledger`;
/** How many runs come between two words on how far it is. */
const TOLD_EVERY = 20;

const options = optionsOf(USAGE, {
  runs: { type: "string", default: "200" },
  seed: { type: "string", default: String(freshSeed()) },
  submission: { type: "string" },
});
await main();

async function main(): Promise<void> {
  /** pnpm runs this in the package's folder; a path is meant from where it was typed. */
  const typedIn = process.env.INIT_CWD ?? process.cwd();
  const seed = count(options.seed, "--seed");
  const runs = count(options.runs, "--runs");
  const results: RunResult[] = [];
  const from = performance.now();
  console.error(`${runs} runs from seed ${seed} on`);
  const conclude = () => console.log(summary(seed, results, (performance.now() - from) / 1_000));
  await using stack = new AsyncDisposableStack();
  let interrupted = false;
  process.once("SIGINT", () => {
    interrupted = true;
    conclude();
    const end = () => process.exit(130);
    stack.disposeAsync().then(end, end);
  });
  try {
    const engines = stack.use(await openEngines());
    const index = options.submission
      ? resolve(typedIn, options.submission, "index.ts")
      : resolve(import.meta.dirname, "../src/index.ts");
    const cluster = stack.use(await Cluster.open(engines, index));
    await soakKilled(cluster, {
      seed,
      runs,
      onRun(result, done) {
        if (interrupted) return;
        results.push(result);
        if (result.failures.length > 0) console.log(report(result));
        if (done % TOLD_EVERY === 0 && done < runs) console.error(`${done} of ${runs}`);
      },
    });
    conclude();
    process.exitCode = results.some(({ failures }) => failures.length > 0) ? 1 : 0;
  } catch (error) {
    // Whatever it had to do with is being taken from it.
    if (interrupted) return;
    console.error(error instanceof EngineError ? `${error.code}  ${error.message}` : error);
    process.exitCode = 2;
  }
}

function report({ seed, failures, story }: RunResult): string {
  return [`seed ${seed}:`, ...failures, ...story.map((line) => `  ${line}`)].join("\n  ");
}

function summary(seed: number, results: readonly RunResult[], seconds: number): string {
  const { runs, failed, kills, compactions, acknowledged, longestRecoveryMs } = totalsOf(results);
  const dead = Object.entries(kills).map(([kind, times]) => `${kind} ${times} times`);
  return (
    `${runs} runs from seed ${seed} on, ${failed} failed. Killed: ${dead.join(", ")}; ${compactions} compactions; ` +
    `${acknowledged} changes acknowledged; ${seconds.toFixed(1)} s; ` +
    `longest recovery ${(longestRecoveryMs / 1_000).toFixed(2)} s`
  );
}
