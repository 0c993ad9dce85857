/**
 * `pnpm --filter @db-katas/crdt-ledger converges`: random schedules by the thousand. Exits with 1 where one
 * of them leaves people with different boards; what is left of it, made smaller, is printed with its seed.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

const { values: options } = parseArgs({
  options: {
    schedules: { type: "string", default: "500" },
    events: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    threads: { type: "string" },
    submission: { type: "string" },
  },
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
console.log(
  `${schedules} schedules of ${options.events} events, 5 people each: ${diverged.length} failed, ${seconds.toFixed(1)} s`,
);
process.exitCode = diverged.length > 0 ? 1 : 0;

/** @throws where it is no whole number from 1 */
function count(text: string, flag: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new Error(`${flag} takes a whole number from 1, and was given ${JSON.stringify(text)}.`);
  }
  return number;
}
