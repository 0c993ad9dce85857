/**
 * How long somebody waits from `create db-kata` to files, to an installed workspace, to a first graded
 * scorecard, beside a create command that most have met. Run: `pnpm --filter create-db-kata bench [rounds]`
 *
 * The packages are this clone's, from a registry on loopback. The first round downloads what the
 * machine lacks, and doesn't count.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { attempt, openRegistry, run } from "../test/registry.ts";

const PNPM = ["npx", "--yes", "pnpm@12.21.0"] as const;
const KATA = "session-failover";
/** Copies a template without installing it, as ours does. */
const PEER = "create-vite@9.3.0";

const rounds = Number(process.argv[2] ?? 3);
await using registry = await openRegistry([KATA]);

/** Seconds of each step of each round. */
const times = new Map<string, number[]>();
const loads: string[] = [];
for (let round = 0; round <= rounds; round += 1) {
  loads.push((loadavg()[0] ?? 0).toFixed(1));
  const counted = round > 0;
  const steps = [await pnpmWay(), await npmWay(), await peer()].flat();
  if (counted) for (const [what, seconds] of steps) note(what, seconds);
  console.log(`${counted ? `round ${round}` : "downloads"} done`);
}

console.log(`\n${rounds} rounds, load before each ${loads.slice(1).join(", ")}; seconds`);
for (const [what, seconds] of times) {
  const sorted = seconds.toSorted((a, b) => a - b);
  const cells = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  console.log(`${what.padEnd(48)} ${cells.map((each) => each?.toFixed(2).padStart(7)).join(" ")}`);
}
const ratio = (times.get("npm: create to files") ?? []).map(
  (seconds, i) => seconds / (times.get(`${PEER}: to files`)?.[i] ?? Number.NaN),
);
console.log(
  `create-db-kata / ${PEER}, to files, by round: ${ratio.map((each) => each.toFixed(2)).join(" ")}`,
);

function note(what: string, seconds: number): void {
  times.set(what, [...(times.get(what) ?? []), seconds]);
}

type Step = readonly [what: string, seconds: number];

async function pnpmWay(): Promise<Step[]> {
  const create = [...PNPM, "create", "db-kata", ".", "--kata", KATA, "--yes", "--no-git"];
  return way("pnpm", [...create, "--pm", "pnpm"], [...PNPM, "install"]);
}

async function npmWay(): Promise<Step[]> {
  const create = ["npx", "--yes", "create-db-kata", ".", "--kata", KATA, "--yes", "--no-git"];
  return way("npm", [...create, "--pm", "npm"], ["npm", "install"]);
}

/** The three steps one after another, as somebody types them. */
async function way(pm: string, create: string[], install: string[]): Promise<Step[]> {
  await using place = await ownFolder();
  const bin = join(place.path, "node_modules", ".bin");
  const env = { ...registry.env, PATH: [bin, process.env.PATH].join(delimiter) };
  const timed = (command: string[]) => seconds(() => run(place.path, env, ...split(command)));
  const files = await timed([...create, "--no-install"]);
  const installed = await timed(install);
  // The starter loses all points: its exit code is 1, and its scorecard is what counts.
  const graded = await seconds(async () => {
    const { stdout } = await attempt(place.path, env, "kata", "grade", KATA);
    if (!/points/.test(stdout)) throw new Error(`no scorecard:\n${stdout}`);
  });
  return [
    [`${pm}: create to files`, files],
    [`${pm}: install`, installed],
    [`${pm}: kata grade`, graded],
    [`${pm}: create to first scorecard`, files + installed + graded],
  ];
}

async function peer(): Promise<Step[]> {
  await using place = await ownFolder();
  const args = ["--yes", PEER, "app", "--template", "vanilla-ts", "--no-interactive"];
  const files = await seconds(() => run(place.path, registry.env, "npx", ...args));
  return [[`${PEER}: to files`, files]];
}

function split([command = "", ...args]: string[]): [string, ...string[]] {
  return [command, ...args];
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function ownFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "create-db-kata-bench-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
