/**
 * Every engine that this machine can run, all at once in one run: a shared server of each, a lease, and
 * a value written and read by its official client through the lease's proxy. Says what memory that
 * takes, and what the engines of each project take together. Run: `pnpm bench:all` in this package;
 * `--json` prints JSON; names of engines choose among them, and have fetched what is missing. Ends with
 * code 1 where an engine failed, or all of them take more than the limit.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import type { Kit } from "../src/conformance/kit.ts";
import { openEngines } from "../src/index.ts";
import { loadDefinitions, loadKit } from "../src/registry.ts";
import type { EngineRun, Lease } from "../src/types.ts";
import { describeMachine, impersonal } from "./machine.ts";

/** For all servers, what is in their folders, and this process. */
const limitBytes = 8 * 2 ** 30;

interface Row {
  readonly engine: string;
  /** What was started, or why it wasn't. */
  readonly what: string;
  readonly state: "ran" | "failed" | "left out";
  /** Until its client has written and read, among all the others that start. */
  readonly firstAnswerMs?: number;
  /** Resident, with all of its processes; absent for a library. */
  readonly memoryBytes?: number;
}

/** What came of an engine, and what keeps its server as it is until all have been measured. */
interface Used {
  readonly row: Row;
  readonly lease?: Lease;
}

async function use(run: EngineRun, engine: string, kit: Kit): Promise<Used> {
  const begin = performance.now();
  try {
    const lease = await run.lease(engine);
    const session = await kit.connect(await lease.urlFor("a"));
    await session.set("key", "value");
    const read = await session.get("key");
    await session.close();
    if (read !== "value") throw new Error(`wrote "value" and read ${JSON.stringify(read)}`);
    const { version, source } = lease.engine;
    const firstAnswerMs = Math.round(performance.now() - begin);
    const what = `${version}: ${impersonal(source)}`;
    return { lease, row: { engine, what, state: "ran", firstAnswerMs } };
  } catch (error) {
    return { row: { engine, what: (error as Error).message, state: "failed" } };
  }
}

/** Those that run here; others say why not. */
async function choose(run: EngineRun, named: readonly string[]): Promise<(string | Row)[]> {
  if (named.length > 0) return [...named];
  const names = [...(await loadDefinitions()).keys()];
  const probes = await Promise.all(names.map((name) => run.probe(name)));
  return probes.map(({ engine, chosen }) => {
    if (chosen && !chosen.fetch) return engine;
    const what = chosen?.fetch ? `would fetch ${chosen.fetch.what}` : "not to be had here";
    return { engine, what, state: "left out" };
  });
}

/** What a folder takes of the disk, or of memory, where it is in memory. */
async function sizeOf(folder: string): Promise<number> {
  const { stdout } = await promisify(execFile)("du", ["-sk", folder]);
  return Number.parseInt(stdout, 10) * 1024;
}

async function measureAll(named: readonly string[]) {
  const machine = await describeMachine();
  const begin = performance.now();
  await using run = await openEngines({ onProgress: console.error });
  const chosen = await choose(run, named);
  const kits = new Map<string, Kit>();
  // One after another: clients that share a module must not load it at the same moment, one by
  // `require` and the other by `import` (Node refuses that).
  for (const each of chosen) if (typeof each === "string") kits.set(each, await loadKit(each));
  const used = await Promise.all(
    chosen.map(async (each): Promise<Used> => {
      if (typeof each !== "string") return { row: each };
      return use(run, each, kits.get(each) as Kit);
    }),
  );
  const engines: Row[] = [];
  for (const { row, lease } of used) {
    const memoryBytes = await lease?.engine.memory();
    engines.push({ ...row, ...(memoryBytes === undefined ? {} : { memoryBytes }) });
  }
  const foldersBytes = await sizeOf(run.folder);
  const runBytes = process.memoryUsage.rss();
  const serversBytes = sum(engines);
  const totalBytes = serversBytes + foldersBytes + runBytes;
  const durationMs = Math.round(performance.now() - begin);
  const projects = sums(engines, await readProjects());
  return { machine, durationMs, engines, foldersBytes, runBytes, totalBytes, projects };
}

async function readProjects(): Promise<Record<string, string[]>> {
  const file = join(import.meta.dirname, "projects.json");
  return JSON.parse(await readFile(file, "utf8")) as Record<string, string[]>;
}

function sums(rows: readonly Row[], projects: Readonly<Record<string, readonly string[]>>) {
  const ran = rows.filter(({ state }) => state === "ran");
  return Object.entries(projects).map(([project, wanted]) => ({
    project,
    memoryBytes: sum(ran.filter(({ engine }) => wanted.includes(engine))),
    engines: wanted.filter((name) => ran.some(({ engine }) => engine === name)),
    without: wanted.filter((name) => !ran.some(({ engine }) => engine === name)),
  }));
}

function sum(rows: readonly Row[]): number {
  return rows.reduce((total, { memoryBytes = 0 }) => total + memoryBytes, 0);
}

function format(all: Awaited<ReturnType<typeof measureAll>>): string {
  const { system, cores, load } = all.machine;
  const marks = { ran: "✓", failed: "✗", "left out": "·" };
  const line = (what: string, bytes: number | undefined, more: string) =>
    `  ${what.padEnd(20)} ${megabytes(bytes).padStart(9)}  ${more}`;
  return [
    `${system}, ${cores} cores, load ${load} before; ${seconds(all.durationMs)} in all`,
    "",
    ...all.engines.map(({ engine, what, state, firstAnswerMs, memoryBytes }) => {
      const first = firstAnswerMs === undefined ? "" : `${seconds(firstAnswerMs)}  `;
      return line(`${marks[state]} ${engine}`, memoryBytes, `${first.padStart(8)}${what}`);
    }),
    line("  their folders", all.foldersBytes, ""),
    line("  the run itself", all.runBytes, ""),
    line("  all together", all.totalBytes, `of ${megabytes(limitBytes)}`),
    "",
    ...all.projects.map(({ project, memoryBytes, engines, without }) => {
      const lacking = without.length > 0 ? `; without ${without.join(", ")}` : "";
      return line(project, memoryBytes, `${engines.join(", ") || "nothing"}${lacking}`);
    }),
  ].join("\n");
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "" : `${Math.round(bytes / 1e6)} MB`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const all = await measureAll(positionals);
console.log(values.json ? JSON.stringify(all, null, 2) : format(all));
const failed = all.engines.some(({ state }) => state === "failed");
process.exitCode = failed || all.totalBytes > limitBytes ? 1 : 0;
