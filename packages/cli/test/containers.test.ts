import { join } from "node:path";
import { scorecardSchema } from "@db-katas/grading";
import { describe, expect, it } from "vitest";
import { runKata } from "./run-kata.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const GRADE = ["grade", "session-failover", "--reference", "--json"];
const address = process.env.KATA_CONTAINERS;
const why = process.env.KATA_NO_CONTAINERS ?? "KATA_CONTAINERS is not set, see .ci/with-containers";

describe.skipIf(!address)(`on containers${address ? "" : ` (skipped: ${why})`}`, () => {
  it("the reference of session-failover gets full marks, and nothing is left out", async () => {
    // What it says is in its scorecard, whatever its exit code.
    const { stdout } = await runKata(GRADE, {
      cwd: ROOT,
      env: { ...process.env, KATA_ENGINES: "container", DOCKER_HOST: address },
    });
    const { checks, engines } = scorecardSchema.parse(JSON.parse(stdout));
    expect(checks.filter(({ verdict }) => verdict !== "passed")).toEqual([]);
    expect(Object.fromEntries(engines.map(({ name, provider }) => [name, provider]))).toMatchObject(
      {
        postgres: "container",
        redis: "container",
      },
    );
  }, 170_000);
});
