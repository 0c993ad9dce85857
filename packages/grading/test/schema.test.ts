import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { z } from "zod";
import { type Scorecard, scorecardSchema } from "../src/index.ts";

const file = join(import.meta.dirname, "..", "src", "report", "scorecard.schema.json");

it("the published JSON Schema is the one that scorecards are checked against (vitest -u writes it)", async () => {
  const schema = `${JSON.stringify(z.toJSONSchema(scorecardSchema, { io: "input" }), null, 2)}\n`;
  await expect(schema).toMatchFileSnapshot(file);
});

it("a validator that knows nothing of us accepts a scorecard, and refuses a made-up verdict", async () => {
  const validate = new Ajv2020({ validateFormats: false }).compile(
    JSON.parse(await readFile(file, "utf8")),
  );
  const scorecard: Scorecard = {
    schemaVersion: 1,
    kata: "counter",
    submission: "reference",
    seed: 7,
    startedAt: "2026-01-01T00:00:00.000Z",
    durationMs: 12,
    engines: [],
    checks: [
      {
        id: "adds",
        title: "adding adds",
        concept: "counting",
        points: 2,
        earned: 2,
        verdict: "passed",
        durationMs: 3,
        hints: [],
        replay: "pnpm kata grade counter --check adds --seed 7",
      },
    ],
    points: { earned: 2, possible: 2, total: 2 },
  };
  expect(validate(scorecard)).toBe(true);
  expect(validate({ ...scorecard, addedLater: true })).toBe(true);
  const madeUp = { ...scorecard, checks: [{ ...scorecard.checks[0], verdict: "splendid" }] };
  expect(validate(madeUp)).toBe(false);
});
