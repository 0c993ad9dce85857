import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineRun, openEngines } from "@db-katas/engines";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Journal, loadExperiment, type MeasureError, runExperiment } from "../src/index.ts";

const fixture = (name: string) => join(import.meta.dirname, "fixtures", name);
const counted = await loadExperiment(fixture("counted.experiment.ts"));

let engines: EngineRun;
let folder: string;
let file: string;
beforeAll(async () => {
  engines = await openEngines();
  folder = await mkdtemp(join(tmpdir(), "measure-"));
});
afterAll(async () => {
  await engines[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
let nth = 0;
beforeEach(() => {
  file = join(folder, `${++nth}.jsonl`);
});

const linesOf = async (kind: string) =>
  (await readFile(file, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind: string; number: number; order: string[] })
    .filter((line) => line.kind === kind);
const failure = async (work: Promise<unknown>) =>
  (await work.catch((error) => error)) as MeasureError;
const shown = (error: MeasureError) =>
  error.message.replaceAll(folder, "…").replaceAll(import.meta.dirname, "…");

it("an experiment is another one when something is that it imports by a path", async () => {
  const text = await readFile(fixture("counted.experiment.ts"), "utf8");
  const imported = join(folder, "shared.ts");
  const copy = join(folder, "copy.experiment.ts");
  const packages = text.replace("../../src/index.ts", join(import.meta.dirname, "../src/index.ts"));
  await writeFile(join(folder, "deep.ts"), "export const size = 1;\n");
  await writeFile(imported, 'export { size } from "./deep.ts";\n');
  await writeFile(copy, `import "./shared.ts";\n${packages}`);
  const before = await loadExperiment(copy);
  expect((await loadExperiment(copy)).sha256).toBe(before.sha256);
  await writeFile(join(folder, "deep.ts"), "export const size = 2;\n");
  expect((await loadExperiment(copy)).sha256).not.toBe(before.sha256);
});

describe("a run", () => {
  it("measures contenders in turns, ABBA, and says on what", async () => {
    const results = await runExperiment(counted, { engines, journal: await Journal.open(file) });
    expect(results.turns.map(({ order }) => order.join(" "))).toEqual([
      "once twice",
      "twice once",
      "once twice",
      "twice once",
      "once twice",
      "twice once",
    ]);
    expect(results.values("once", "cost")).toHaveLength(6);
    expect(results.latencies("once", "wait")?.[0]?.count).toBe(100);
    expect(results.values("once", "throughput")).toBeUndefined();
    expect(results.environment.cores).toBeGreaterThan(0);
    expect(results.parameters).toEqual({ size: 10_000, crashIn: 1_000 });
  });

  it("ends when somebody has enough, and what is there counts", async () => {
    const isEnough = (done: number) => done >= 3;
    const results = await runExperiment(counted, {
      engines,
      journal: await Journal.open(file),
      isEnough,
    });
    expect(results.turns).toHaveLength(3);
  });

  it("what is done isn't repeated, and more turns are added", async () => {
    const run = async (turns?: number) =>
      runExperiment(counted, {
        engines,
        journal: await Journal.open(file),
        ...(turns === undefined ? {} : { turns }),
      });
    const first = await run();
    expect((await run()).turns).toEqual(first.turns);
    expect(await linesOf("session")).toHaveLength(1);
    expect((await run(8)).turns.slice(0, 6)).toEqual(first.turns);
    expect((await linesOf("turn")).map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("other parameters are other results, in the same journal", async () => {
    const journal = await Journal.open(file);
    await runExperiment(counted, { engines, journal });
    const quick = await runExperiment(counted, { engines, journal, size: "quick" });
    expect(quick.turns).toHaveLength(6);
    expect(await linesOf("turn")).toHaveLength(12);
  });

  it("a parameter that there isn't", async () => {
    const journal = await Journal.open(file);
    const error = await failure(
      runExperiment(counted, { engines, journal, parameters: { sice: 3 } }),
    );
    expect(error.message).toMatchSnapshot();
  });
});

describe("what ends half-way", () => {
  it("a crash keeps earlier turns, and says so", async () => {
    const journal = await Journal.open(file);
    const error = await failure(
      runExperiment(counted, { engines, journal, parameters: { crashIn: 3 } }),
    );
    expect(error.code).toBe("EXPERIMENT_CRASHED");
    expect(shown(error)).toMatchSnapshot();
    expect(await linesOf("turn")).toHaveLength(3);
  });

  it.each([
    ["which fails", { crashIn: 1 }],
    ["whose turns are all there", {}],
  ])("doesn't wait for an experiment that never closes, %s", async (_, parameters) => {
    const unending = await loadExperiment(fixture("unending.experiment.ts"));
    const journal = await Journal.open(file);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const run = failure(runExperiment(unending, { engines, journal, parameters }));
      await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
      await vi.runAllTimersAsync();
      expect(shown(await run)).toMatchSnapshot();
    } finally {
      vi.useRealTimers();
    }
  });

  it("a signal keeps earlier turns, and the next run goes on", async () => {
    const controller = new AbortController();
    const run = runExperiment(counted, {
      engines,
      journal: await Journal.open(file),
      signal: controller.signal,
      onTurn: (done) => done === 2 && controller.abort(new Error("Ctrl-C")),
    });
    await expect(run).rejects.toThrow("Ctrl-C");
    expect(await linesOf("turn")).toHaveLength(2);
    const results = await runExperiment(counted, { engines, journal: await Journal.open(file) });
    expect(results.turns.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await linesOf("session")).toHaveLength(2);
  });

  it("so does kill -9, also when it tore the last line", async () => {
    const child = spawn(process.execPath, [fixture("run-and-stop.ts"), counted.file, file], {
      stdio: "inherit",
    });
    const [, signal] = (await once(child, "exit")) as [number | null, string | null];
    expect(signal).toBe("SIGKILL");
    await appendFile(file, '{"kind":"turn","numb');
    const before = await readFile(file, "utf8");
    const results = await runExperiment(counted, { engines, journal: await Journal.open(file) });
    expect(results.turns.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5]);
    const after = await readFile(file, "utf8");
    expect(after.startsWith(before.slice(0, before.lastIndexOf("\n") + 1))).toBe(true);
    expect(await linesOf("session")).toHaveLength(2);
  });

  it("a line that somebody edited", async () => {
    await writeFile(file, '{"kind":"turn"}\n');
    const error = await failure(Journal.open(file));
    expect(error.code).toBe("JOURNAL_CORRUPT");
    expect(shown(error)).toMatchSnapshot();
  });
});

describe("what is no experiment", () => {
  const load = async (text: string) => {
    const module = join(folder, `${++nth}.experiment.ts`);
    await writeFile(module, text);
    return shown(await failure(loadExperiment(module))).replace(/\d+\.experiment/, "n.experiment");
  };
  const rest = "parameters: {}, engines: {}, open: async () => ({})";

  it.each([
    ["nothing", "export const x = 1;"],
    ["no contender", `export default { title: "t", contenders: {}, ${rest} };`],
    [
      "names that are taken, latencies in seconds",
      `export default { title: "t", contenders: { a: { what: "" } }, ${rest},
       metrics: { p99: { what: "", kind: "value", unit: "1" }, wait: { what: "", kind: "latency", unit: "s" } } };`,
    ],
    [
      "memory of an engine that isn't there",
      `export default { title: "t", contenders: { a: { what: "", memoryOf: ["redis"] } }, ${rest} };`,
    ],
    ["what doesn't even load", `throw new Error("no such module");`],
  ])("%s", async (_, text) => {
    expect(await load(text)).toMatchSnapshot();
  });
});
