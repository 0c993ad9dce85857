import { join } from "node:path";
import { openEngines } from "@db-katas/engines";
import { expect, test } from "vitest";
import { Cluster } from "../soak/killed/cluster.ts";
import { KINDS, planFrom } from "../soak/killed/plan.ts";
import { soakKilled } from "../soak/killed/soak.ts";

const REFERENCE = join(import.meta.dirname, "../src/index.ts");
const COMMITS_LAZILY = join(import.meta.dirname, "fixtures/commits-lazily/index.ts");
/** In these, PostgreSQL and servers are killed, each alone and together, and compactions meet that. */
const SEED = 2;
const RUNS = 3;
/** Until a server is found out that was found out in seven of ten runs. */
const TRIES = 10;
/** Room for a busy machine, in milliseconds. */
const PATIENCE_MS = 120_000;

test("a seed says what is killed, and all kinds of deaths come", () => {
  const plans = Array.from({ length: 50 }, (_, i) => planFrom(i + 1));
  const { deaths, compactions } = planFrom(7);
  expect(planFrom(7)).toMatchObject({ deaths, compactions });
  const kinds = plans.flatMap((plan) => plan.deaths.map(({ kind }) => kind));
  expect(new Set(kinds)).toEqual(new Set(KINDS));
  expect(plans.some((plan) => plan.compactions.length > 0)).toBe(true);
});

test(
  "what is acknowledged survives SIGKILL to servers and PostgreSQL, once, and all see the same",
  async () => {
    await using engines = await openEngines();
    await using cluster = await Cluster.open(engines, REFERENCE);
    const results = await soakKilled(cluster, { seed: SEED, runs: RUNS });
    expect(results.flatMap(({ failures }) => failures)).toEqual([]);
    expect(new Set(results.flatMap(({ kills }) => kills)).size).toBeGreaterThan(1);
    for (const { recoveriesMs, kills } of results) expect(recoveriesMs.length).toBe(kills.length);
  },
  PATIENCE_MS,
);

test(
  "a server whose commits aren't written down when it acknowledges is found out",
  async () => {
    await using engines = await openEngines();
    await using cluster = await Cluster.open(engines, COMMITS_LAZILY);
    const failures: string[] = [];
    // What PostgreSQL has just written down all the same is not lost: then it is another run that shows it.
    for (let seed = SEED; failures.length === 0 && seed < SEED + TRIES; seed++) {
      const [result] = await soakKilled(cluster, { seed, runs: 1 });
      failures.push(...(result?.failures ?? []));
    }
    expect(failures.join("\n")).toContain("were acknowledged, and are lost");
  },
  PATIENCE_MS,
);
