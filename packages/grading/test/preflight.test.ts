import { type EngineRun, type Offer, openEngines } from "@db-katas/engines";
import { diskFull } from "@db-katas/engines/faults/diskFull";
import { expect, it } from "vitest";
import type { Check } from "../src/check.ts";
import { unavailability } from "../src/run/preflight.ts";

it("a check whose fault this machine can't make is not graded, and says what that takes", async () => {
  const check: Check = {
    id: "full",
    file: "1-full.grade.ts",
    title: "a full disk loses nothing",
    points: 1,
    concept: "durability",
    engines: { redis: { faults: [diskFull] } },
    hints: [],
    run: async () => {},
  };
  const offers: Offer[] = [
    { provider: "container", offered: false, reason: "no socket", remedy: "start Docker" },
    { provider: "process", offered: true, source: "redis-server", capabilities: ["network"] },
  ];
  await using run = await openEngines();
  const engines: EngineRun = { ...run, probe: async (engine) => ({ engine, offers }) };
  expect(await unavailability([check], engines)).toMatchInlineSnapshot(`
    Map {
      "full" => "needs redis with diskFull: it takes Linux with util-linux, and the right to mount a small file system in a namespace: root, or user namespaces",
    }
  `);
});
