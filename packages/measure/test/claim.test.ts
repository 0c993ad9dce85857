import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { parsePredicate } from "../src/claim/parse-predicate.ts";
import { type Expression, formatPredicate, type Predicate } from "../src/claim/predicate.ts";
import {
  checkClaim,
  claimSchema,
  formatLog,
  formatProblems,
  loadExperiment,
  parseLog,
  setLastMeasured,
} from "../src/index.ts";

const FILE = "DATABASE_DECISION_LOG.md";
const lookup = await loadExperiment(
  join(import.meta.dirname, "fixtures", "key-lookup.experiment.ts"),
);

const block = (fields: string) => `# A log\n\n\`\`\`claim\n${fields}\n\`\`\`\n`;
const claiming = (predicate: string, more = "") =>
  block(`id: it\nexperiment: key-lookup\npredicate: ${predicate}${more}`);

const measuredIn = (text: string) =>
  parseLog(text).claims.filter((claim) => claim.kind === "measured");

const LOG = `# Decisions

## 2026-11-22 · Redis for lookups

- **Chosen:** Redis

\`\`\`claim
predicate:   p99(redis)<0.5*p99( postgres ) at found>=0.99
# As the guide has it.
id: redis-is-faster
experiment: key-lookup
scale: { rows: 20000 }
\`\`\`

> In a quotation:
>
> \`\`\`claim
> id: memory
> experiment: key-lookup
> predicate: memory(redis) < 100 MB
> last-measured: 2026-11-20 held
> \`\`\`

\`\`\`claim
mutants: [ write-behind ]
checks: [redis-empty,redis-killed]
says: what was acknowledged is there
id: durable
\`\`\`

\`\`\`claim
outside: pnpm chaos --seed 1
id: chaos
says: nothing is lost in any schedule
\`\`\`

\`\`\`ts
const other = "block";
\`\`\`
`;

describe("a log", () => {
  it("has claims, under headings, with places", () => {
    expect(parseLog(LOG)).toMatchSnapshot();
  });

  it("is formatted, in its claims alone, and once is enough", () => {
    const formatted = formatLog(LOG);
    expect(formatted).toMatchSnapshot();
    expect(formatLog(formatted)).toBe(formatted);
  });

  it("gets its last-measured lines, and nothing else changes", () => {
    const measured = new Map([
      ["redis-is-faster", "2026-11-22 held: ratio 0.3 (0.2 … 0.4); 32 turns"],
      ["memory", "2026-11-22 falsified: 120 MB (119 … 121)"],
    ]);
    const written = setLastMeasured(LOG, measured);
    const added = written.split("\n").filter((line) => !LOG.split("\n").includes(line));
    expect(added).toMatchInlineSnapshot(`
      [
        "last-measured: "2026-11-22 held: ratio 0.3 (0.2 … 0.4); 32 turns"",
        "> last-measured: "2026-11-22 falsified: 120 MB (119 … 121)"",
      ]
    `);
    const without = (text: string) =>
      text.split("\n").filter((line) => !line.includes("last-measured"));
    expect(without(written)).toEqual(without(LOG));
    expect(setLastMeasured(written, measured)).toBe(written);
    expect(setLastMeasured(LOG, new Map())).toBe(LOG);
  });

  it("keeps the line endings of Windows", () => {
    const windows = LOG.replaceAll("\n", "\r\n");
    const written = setLastMeasured(windows, new Map([["memory", "2026-11-22 held"]]));
    expect(written.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    expect(measuredIn(written).map(({ fields }) => fields["last-measured"])).toEqual([
      undefined,
      "2026-11-22 held",
    ]);
  });
});

describe("what can't be read", () => {
  it.each([
    ["a predicate", claiming("p99(redis) <")],
    ["a contender", claiming("p99() < 5 ms")],
    ["an equality", claiming("found(redis) = 1")],
    ["what follows", claiming("p99(redis) < 5 ms sometimes")],
    ["quoted", claiming('"p99(redis) < < 5 ms"')],
    ["in a quotation", claiming("p99(redis < 5 ms").replaceAll(/^(?=.)/gm, "> ")],
    ["no YAML", block("id: it\nexperiment: [key-lookup\npredicate: x < 1")],
    ["no fields", block("it holds")],
    ["fields that lack", block("id: it")],
    ["a field too many", claiming("p99(redis) < 5 ms", "\nlast_measured: today")],
    ["an odd id", block("id: It Is\nexperiment: key-lookup\npredicate: p99(redis) < 5 ms")],
    ["three sizes", claiming("growth(p50(redis)) < 1", "\nscale: { rows: [1, 2, 3] }")],
    ["a size in words", claiming("p99(redis) < 5 ms", "\nscale: { rows: many }")],
    ["checks that nobody fails", block("id: it\nsays: so\nchecks: [once]\nmutants: []")],
    ["checks without wrong answers", block("id: it\nsays: so\nchecks: [once]")],
    ["checks without words", block("id: it\nchecks: [once]\nmutants: [twice]")],
    ["checks of an experiment", claiming("p99(redis) < 5 ms", "\nchecks: [once]")],
    [
      "a predicate on checks",
      block("id: it\nsays: so\nchecks: [a]\nmutants: [b]\npredicate: p < 1"),
    ],
    ["no evidence", block("id: it\nsays: so")],
    ["the same id twice", claiming("p99(redis) < 5 ms").repeat(2)],
  ])("%s", (_, text) => {
    const { problems } = parseLog(text);
    expect(formatProblems(FILE, problems)).toMatchSnapshot();
  });

  it("the other claims are there", () => {
    expect(measuredIn(LOG + claiming("p99("))).toHaveLength(2);
  });
});

describe("what can't be measured", () => {
  it.each([
    ["p99(redsi) < 5 ms", ""],
    ["recall(redis) > 0.9", ""],
    ["p99(redis) < 5", ""],
    ["p99(redis) < 5 MB", ""],
    ["5/s > throughput(redis) + 3", ""],
    ["memory(redis) / found(redis) < 5 ms", ""],
    ["p99 < 5 ms", ""],
    ["latency(redis) < 5 ms", ""],
    ["p99(redis) < 5 ms", "\nmetric: found"],
    ["1 < 2", ""],
    ["growth(p50(redis)) < 1", ""],
    ["growth(p50(redis)) < found(redis)", "\nscale: { rows: [1, 2, 3, 4] }"],
    ["2 * growth(p50(redis)) < 1", "\nscale: { rows: [1, 2, 3, 4] }"],
    ["p99(redis) < 5 ms", "\nscale: { cows: 1 }"],
  ])("%s %s", (predicate, more) => {
    const [claim] = measuredIn(claiming(predicate, more));
    if (!claim) throw new Error("it can't even be read");
    expect(formatProblems(FILE, checkClaim(claim, lookup))).toMatchSnapshot();
  });

  it.each([
    "p99(redis) < 0.5 * p99(postgres) at found >= 99 %",
    "throughput(redis) >= 150/s and p50(redis) < 1 s / 3",
    "memory(redis) - memory(postgres) < 1 GiB",
    "mean(redis) * throughput(redis) < 1",
  ])("but this can: %s", (predicate) => {
    const [claim] = measuredIn(claiming(predicate));
    expect(claim && checkClaim(claim, lookup)).toEqual([]);
  });
});

const expression: fc.Arbitrary<Expression> = fc.letrec<{ any: Expression }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.record({
      kind: fc.constant("quantity" as const),
      value: fc.double({ min: 0, max: 1e6, noNaN: true }).map((each) => Math.abs(each)),
      unit: fc.constantFrom("", "ms", "%", "/s", "MB/row"),
      at: fc.constant(0),
    }),
    fc.record({
      kind: fc.constant("measure" as const),
      name: fc.constantFrom("p99", "p99.9", "mean", "recall", "at-once", "android"),
      contender: fc.constantFrom("redis", "qdrant-edge", "p99"),
      at: fc.constant(0),
    }),
    fc.record({
      kind: fc.constant("binary" as const),
      operator: fc.constantFrom("+" as const, "-" as const, "*" as const, "/" as const),
      left: tie("any"),
      right: tie("any"),
      at: fc.constant(0),
    }),
  ),
})).any;

it("what is formatted reads as what it was", () => {
  const comparisons = fc.array(
    fc.record({
      left: expression,
      comparator: fc.constantFrom("<" as const, "<=" as const, ">" as const, ">=" as const),
      right: expression,
    }),
    { minLength: 1, maxLength: 3 },
  );
  const withoutPlaces = (predicate: unknown) =>
    JSON.parse(JSON.stringify(predicate, (key, value) => (key === "at" ? undefined : value)));
  fc.assert(
    fc.property(comparisons, fc.oneof(fc.constant([]), comparisons), (all, conditions) => {
      const predicate: Predicate = { comparisons: all, conditions };
      expect(withoutPlaces(parsePredicate(formatPredicate(predicate)))).toEqual(
        withoutPlaces(predicate),
      );
    }),
  );
});

describe("the JSON Schema", () => {
  const file = join(import.meta.dirname, "..", "src", "claim", "claim.schema.json");

  it("is the one that claims are read with (vitest -u writes it)", async () => {
    const schema = `${JSON.stringify(z.toJSONSchema(claimSchema), null, 2)}\n`;
    await expect(schema).toMatchFileSnapshot(file);
  });

  it("is understood by a validator that knows nothing of us", async () => {
    const validate = new Ajv2020().compile(JSON.parse(await readFile(file, "utf8")));
    const [claim] = parseLog(claiming("p99(redis) < 5 ms")).claims;
    expect(validate(claim?.fields)).toBe(true);
    expect(validate({ ...claim?.fields, opinion: "strong" })).toBe(false);
    const rest = parseLog(LOG).claims.filter(({ kind }) => kind !== "measured");
    expect(rest.map(({ fields }) => validate(fields))).toEqual([true, true]);
  });
});
