import { join } from "node:path";
import { expect, test } from "vitest";
import { describeEngine } from "../../src/conformance/index.ts";
import { openEngines } from "../../src/index.ts";
import { containers, describeContainers } from "./here.ts";

// Of these there are images only where everything is to be tried.
const further = ["kafka", "neo4j"].filter(
  (name) => process.env[`KATA_IMAGE_${name.toUpperCase()}`],
);
const quick = ["postgres", "redis", "mysql"];
const engines = [...quick, ...further];
// A gate breaks one of them, another one with each commit: what containers have to do with it is the same
// for all, and what the engines have to do with it is tried on processes.
const drawn = quick[Number(process.env.KATA_SEED ?? 0) % quick.length];
const whole = (engine: string) => process.env.KATA_CONFORMANCE === "all" || engine === drawn;

describeContainers("the conformance suite, on containers", (env) => {
  test.each(engines)("%s is offered: what follows is not skipped", async (engine) => {
    await using run = await openEngines({ env });
    expect((await run.probe(engine)).chosen).toMatchObject({ provider: "container" });
  });
});

// Some take several containers one after another, and the machine may be busy.
const timeout = 90_000;
if (containers) {
  for (const engine of engines)
    await describeEngine(engine, {
      env: containers,
      ...(whole(engine) ? {} : { only: "namespaces" }),
      // Where each lease is a container, the suite knows how long that takes.
      ...(further.includes(engine) ? {} : { timeout }),
    });
  // Three containers for each server: longer than a gate should take.
  const definitions = join(import.meta.dirname, "definitions");
  if (containers.KATA_CONFORMANCE === "all")
    await describeEngine("group", { env: containers, definitions });
}
