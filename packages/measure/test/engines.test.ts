import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineRun, openEngines } from "@db-katas/engines";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  evaluate,
  falsify,
  formatFinding,
  Journal,
  lastMeasured,
  loadExperiment,
  type MeasureError,
  parseLog,
  setLastMeasured,
} from "../src/index.ts";

const fixtures = join(import.meta.dirname, "fixtures");
const log = join(fixtures, "DECISION_LOG.md");
const markdown = await readFile(log, "utf8");
const measuredIn = (text: string) =>
  parseLog(text).claims.filter((claim) => claim.kind === "measured");
const claims = new Map(measuredIn(markdown).map((claim) => [claim.fields.id, claim]));

let engines: EngineRun;
let folder: string;
beforeAll(async () => {
  engines = await openEngines();
  folder = await mkdtemp(join(tmpdir(), "measure-"));
});
afterAll(async () => {
  await engines[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function put(id: string, turns: number, run: EngineRun = engines) {
  const claim = claims.get(id);
  if (!claim) throw new Error(`no claim ${id}`);
  const experiment = await loadExperiment(
    join(fixtures, `${claim.fields.experiment}.experiment.ts`),
  );
  const journal = await Journal.open(join(folder, "results.jsonl"));
  return falsify(claim, experiment, { engines: run, journal, turns, log });
}

it("claims about Redis and PostgreSQL: one is held, one is falsified", async () => {
  const { finding, results } = await put("all-is-found", 6);
  expect(finding.verdict).toBe("held");
  const [result] = results;
  for (const contender of ["redis", "postgres"]) {
    expect(result?.latencies(contender, "latency")?.map(({ count }) => count)).toEqual(
      Array(6).fill(40),
    );
    for (const bytes of result?.values(contender, "memory") ?? []) {
      expect(bytes).toBeGreaterThan(2 ** 20);
    }
  }
  expect(result?.environment.engines.redis?.engine).toBe("redis");
  const wrong = claims.get("redis-takes-a-minute");
  const falsified = wrong && evaluate(wrong, results);
  expect(falsified?.verdict).toBe("falsified");
  const written = setLastMeasured(
    markdown,
    new Map([["all-is-found", lastMeasured(finding, "2026-11-22")]]),
  );
  expect(parseLog(written).claims[0]?.fields["last-measured"]).toMatch(
    /^2026-11-22 held: 1 \(1 … 1\)/,
  );
});

it("a claim about growth is measured at each of its sizes", async () => {
  const { finding, results } = await put("counting-is-linear", 6);
  expect(results.map(({ parameters }) => parameters.size)).toEqual([100, 400, 1_600, 6_400]);
  expect(finding.verdict).toBe("falsified");
  expect(formatFinding(finding)).toContain("exponent 0.5");
});

it("a claim about engines that can't be had isn't run", async () => {
  const env = { ...process.env, KATA_ENGINES: "external" };
  await using none = await openEngines({ env });
  const { finding } = await put("redis-takes-a-minute", 6, none);
  expect(finding.verdict).toBe("not run");
  expect(formatFinding(finding)).toContain("redis");
});

it("a claim about what isn't there", async () => {
  const [claim] = measuredIn(markdown.replace("p50(redis)", "p50(rabbits)")).slice(1);
  const experiment = await loadExperiment(join(fixtures, "key-lookup.experiment.ts"));
  const journal = await Journal.open(join(folder, "results.jsonl"));
  if (!claim) throw new Error("no claim");
  const error = await falsify(claim, experiment, { engines, journal, log: "LOG.md" }).catch(
    (error: MeasureError) => error,
  );
  expect((error as MeasureError).message).toMatchSnapshot();
});
