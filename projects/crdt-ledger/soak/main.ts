/**
 * `pnpm --filter @db-katas/crdt-ledger converges`: random schedules by the thousand. Exits with 1 where one
 * of them leaves people with different boards; what is left of it, made smaller, is printed with its seed.
 */
import { resolve } from "node:path";
import { count, optionsOf } from "./options.ts";
import { soak } from "./soak.ts";

const HELP = `Random schedules of five people who edit one board, each on a replica of their own: whatever comes late,
twice, out of order or as one piece, all have to see the same in the end, with nothing lost, nothing
there twice and nothing back that was deleted.

  --schedules <n>      how many of them (500)
  --events <n>         what happens in each: edits, undos, deliveries, loads (60)
  --seed <n>           of the first one; the next one has the next seed (1)
  --threads <n>        how many at a time (as many as there are cores)
  --submission <dir>   the folder whose index.ts is tried (the reference)
  --help               this text

Of those that fail, the fewest events that still do are printed, and it exits with 1. To see only the one
with seed 4711 again:

  pnpm --filter @db-katas/crdt-ledger converges --seed 4711 --schedules 1 --submission my-answer`;

const options = optionsOf(HELP, {
  schedules: { type: "string", default: "500" },
  events: { type: "string", default: "60" },
  seed: { type: "string", default: "1" },
  threads: { type: "string" },
  submission: { type: "string" },
});
/** pnpm runs this in the package's folder; a path is meant from where it was typed. */
const typedIn = process.env.INIT_CWD ?? process.cwd();
const schedules = count(options.schedules, "--schedules");
const { diverged, seconds } = await soak({
  index: options.submission
    ? resolve(typedIn, options.submission, "index.ts")
    : resolve(import.meta.dirname, "../src/index.ts"),
  seed: count(options.seed, "--seed"),
  schedules,
  events: count(options.events, "--events"),
  ...(options.threads ? { threads: count(options.threads, "--threads") } : {}),
  onSchedule: (done) => {
    if (done % 500 === 0 && done < schedules) console.error(`${done} of ${schedules}`);
  },
});
for (const { seed, failure, events } of diverged) {
  const story = failure.story.map((line, i) => `${String(i + 1).padStart(4)}  ${line}`).join("\n");
  console.log(
    `seed ${seed}: ${failure.what}\n  expected: ${failure.expected}\n  received: ${failure.received}\n` +
      `  ${events} events lead to it (a <- b:2 means that b's change 2 comes to a):\n${story}`,
  );
}
const { user, system } = process.cpuUsage();
const cpuMs = (user + system) / 1_000 / schedules;
console.log(
  `${schedules} schedules of ${options.events} events, 5 people each: ${diverged.length} failed, ` +
    `${seconds.toFixed(1)} s, ${cpuMs.toFixed(1)} ms of processor time each`,
);
process.exitCode = diverged.length > 0 ? 1 : 0;
