/**
 * Lets runs die, one after another, and looks for what they leave. Run: `pnpm soak` in this package.
 * Arguments: how many (default 100), and the seed (default a fresh one); then, instead of runs that
 * lease for ever, a command that opens a run by itself, such as `node packages/cli/src/main.ts grade …`.
 * Linux only.
 */
import { randomInt } from "node:crypto";
import { die, drawDeaths } from "./deaths.ts";

const count = Number(process.argv[2] ?? 100);
const seed = Number(process.argv[3] ?? randomInt(2 ** 31));
const command = process.argv.slice(4);
console.log(`seed ${seed}`);
let survived = 0;
for (const [index, death] of drawDeaths(
  seed,
  count,
  command.length > 0 ? 8_000 : undefined,
).entries()) {
  const left = await die(death, command);
  if (left.length === 0) continue;
  survived += 1;
  console.log(`${index}: ${JSON.stringify(death)}\n  ${left.join("\n  ")}`);
}
console.log(`${count} deaths, ${survived} of them with something left`);
process.exitCode = survived > 0 ? 1 : 0;
