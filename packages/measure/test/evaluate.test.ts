import { expect, it } from "vitest";
import {
  checkClaim,
  checked,
  evaluate,
  type Finding,
  formatFinding,
  lastMeasured,
  outcomeOf,
  parseLog,
  type Results,
} from "../src/index.ts";
import { randomFrom } from "../src/stats/random.ts";
import { experiment, type Measured, resultsOf } from "./results.ts";

function claimed(predicate: string, results: readonly Results[], more = ""): Finding {
  const text = `\`\`\`claim\nid: it\nexperiment: made-up\npredicate: ${predicate}${more}\n\`\`\``;
  const [claim] = parseLog(text).claims;
  if (claim?.kind !== "measured") throw new Error("it can't be read");
  expect(checkClaim(claim, experiment)).toEqual([]);
  return evaluate(claim, results);
}

const TURNS = 20;
const random = randomFrom(11);
const around = (value: number) => value * (0.9 + 0.2 * random());
const calls = (ms: number) => Array.from({ length: 100 }, () => around(ms));
const turns = (of: (turn: number) => { readonly [contender: string]: Measured }) =>
  resultsOf(Array.from({ length: TURNS }, (_, turn) => of(turn)));

const usual = turns(() => ({
  ours: {
    latency: calls(2),
    throughput: around(500),
    memory: around(1e8),
    cost: 0,
    recall: around(0.9),
  },
  theirs: { latency: calls(5), throughput: around(250), memory: around(2e8), cost: 0, recall: 1 },
}));

it.each([
  ["p99(ours) < 0.5 * p99(theirs)", "held"],
  ["p99(ours) > p99(theirs)", "falsified"],
  ["p50(ours) < 0.4 * p50(theirs)", "inconclusive"],
  ["p99(ours) < 3 ms", "held"],
  ["3 ms < p99(ours)", "falsified"],
  ["throughput(ours) > 400/s and memory(ours) < 150 MB", "held"],
  ["throughput(ours) > 400/s and memory(ours) > 150 MB", "falsified"],
  ["memory(theirs) - memory(ours) > 50 MB", "held"],
  ["cost(ours) <= cost(theirs)", "held"],
  ["cost(ours) < cost(theirs)", "falsified"],
  ["p99(ours) < p99(theirs) at recall >= 0.8", "held"],
  ["p99(ours) < p99(theirs) at recall >= 0.95", "not run"],
  ["p99(ours) < p99(theirs) at recall(ours) >= 0.9", "inconclusive"],
  ["failed(ours) < 1", "not run"],
])("%s: %s", (predicate, verdict) => {
  const finding = claimed(predicate, [usual]);
  expect(finding.verdict).toBe(verdict);
  expect(`${formatFinding(finding)}\n${lastMeasured(finding, "2026-11-22")}`).toMatchSnapshot();
});

it("a tail that few turns make isn't held, nor falsified", () => {
  const stalls = turns((turn) => ({
    ours: { latency: turn % 10 === 0 ? calls(200) : calls(2) },
    theirs: { latency: calls(5) },
  }));
  const finding = claimed("p99(ours) < p99(theirs)", [stalls]);
  expect(finding.verdict).toBe("inconclusive");
  expect(formatFinding(finding)).toMatchSnapshot();
  // Against a number it counts as what it is.
  expect(claimed("p99(ours) < 100 ms", [stalls]).verdict).not.toBe("held");
  expect(claimed("p99(ours) < 1 ms", [stalls]).verdict).toBe("falsified");
});

it("what is lost in one turn of many isn't overlooked", () => {
  const losing = turns((turn) => ({ ours: { cost: turn === 7 ? 3 : 0 }, theirs: { cost: 0 } }));
  expect(claimed("cost(ours) <= 0 B", [losing]).verdict).toBe("inconclusive");
  expect(claimed("cost(ours) <= cost(theirs)", [losing]).verdict).toBe("inconclusive");
});

it("four turns are too few for an interval", () => {
  const few = resultsOf(
    Array.from({ length: 4 }, () => ({ ours: { cost: 1 }, theirs: { cost: 2 } })),
  );
  const finding = claimed("cost(ours) < cost(theirs)", [few]);
  expect(formatFinding(finding)).toMatchSnapshot();
});

const sizes = [1_000, 4_000, 16_000, 64_000];
const scale = `\nscale: { size: [${sizes.join(", ")}] }`;
const growing = (cost: (size: number) => number) =>
  sizes.map((size) =>
    resultsOf(
      Array.from({ length: 8 }, () => ({
        ours: { cost: around(cost(size)) },
        theirs: { cost: 1 },
      })),
      size,
    ),
  );

it.each([
  ["growth(cost(ours)) < 0.6", Math.sqrt, "held"],
  ["growth(cost(ours)) < 0.6", (size: number) => size, "falsified"],
  ["growth(cost(ours)) >= 0.5", Math.sqrt, "inconclusive"],
  ["growth(cost(ours)) < 3", (size: number) => 10 ** (size / 8_000), "inconclusive"],
] as const)("%s of %o: %s", (predicate, cost, verdict) => {
  const finding = claimed(predicate, growing(cost), scale);
  expect(finding.verdict).toBe(verdict);
  expect(formatFinding(finding)).toMatchSnapshot();
});

it.each([
  ["all passed, and the wrong answer didn't", 3, "redis-killed"],
  ["the reference failed once", 2, "redis-killed"],
  ["nobody tells the wrong answer", 3, undefined],
])("checks: %s", (_, passed, failed) => {
  const finding = checked({
    id: "durable",
    checks: [
      { id: "redis-empty", passed: 3, of: 3 },
      { id: "redis-killed", passed, of: 3 },
    ],
    mutants: [{ name: "write-behind", ...(failed ? { failed } : {}) }],
    environment: usual.environment,
  });
  const fields = { id: "durable", says: "so", checks: ["redis-empty"], mutants: ["write-behind"] };
  expect(formatFinding(finding)).toMatchSnapshot();
  expect(lastMeasured(finding, "2026-11-22")).toMatchSnapshot();
  expect(outcomeOf(fields, finding)).toMatchSnapshot();
});
