import { afterAll, expect, test } from "vitest";
import { describeEngine } from "../src/conformance/index.ts";
import { driverFor } from "../src/definitions/neo4j/client.ts";
import { fetchableUnasked, loadDefinitions, openEngines } from "../src/index.ts";
import { wipeVariable } from "../src/providers/external.ts";
import { loadKit } from "../src/registry.ts";
import { eventually } from "./helpers.ts";
import { holdings } from "./holdings.ts";

/** Whose whole suite is run, with what is refused and what the network does. */
const whole = ["postgres", "redis"];
const timeout = 120_000;
const definitions = [...(await loadDefinitions()).values()];
const givenByUrl = definitions.filter((each) => each.urlVariable && each.process);

// Private servers of another run stand for the user's own.
const host = await openEngines({ env: { ...process.env, KATA_ENGINES: "process" } });
afterAll(() => host[Symbol.asyncDispose](), timeout);

test("every engine that can be given by URL, and that runs here, is in the table", () => {
  expect(Object.keys(holdings).sort()).toEqual(givenByUrl.map(({ name }) => name).sort());
});

for (const definition of givenByUrl) {
  const { name, title, urlVariable = "", alone } = definition;
  const held = holdings[name];
  const { chosen } = await host.probe(name);
  if (!held || !chosen || !fetchableUnasked(chosen)) {
    const reason = "none runs here without more of a fetch than a gate makes: KATA_CONFORMANCE=all";
    test.skip(`${title}, given by ${urlVariable} (${reason})`, () => {});
    continue;
  }
  const lease = await host.lease(name, { isolation: "instance" });
  const kit = await loadKit(name);
  const url = lease.engine.adminUrl;
  const env = {
    ...process.env,
    KATA_ENGINES: "external",
    [urlVariable]: url,
    [wipeVariable(definition)]: "yes",
  };
  const keep = async () => {
    const session = await kit.connect(lease.adminUrl);
    await session.set("mine", "precious");
    await session.close();
  };
  // A server that can't be divided must be empty at first.
  if (!alone) await keep();
  const before = await held(url);

  await describeEngine(name, {
    env,
    timeout,
    ...(whole.includes(name) ? {} : { only: "namespaces" }),
  });

  test(`${title}, given by ${urlVariable}: runs come and go, and nothing of them stays`, {
    timeout,
  }, async () => {
    const runs = [await openEngines({ env }), await openEngines({ env })];
    const some = await Promise.all((alone ? runs.slice(1) : runs).map((run) => run.lease(name)));
    expect(some.map(({ engine }) => engine.provider)).toEqual(some.map(() => "external"));
    for (const each of some) {
      const session = await kit.connect(await each.urlFor("a"));
      await session.set("mine", "worthless");
      await session.close();
    }
    expect(new Set(some.map(({ adminUrl }) => adminUrl)).size).toBe(some.length);
    for (const run of runs) await run[Symbol.asyncDispose]();
    await eventually(
      () => held(url),
      (after) => JSON.stringify(after) === JSON.stringify(before),
    );
    if (alone) await keep();
    const session = await kit.connect(lease.adminUrl);
    expect(await session.get("mine")).toBe("precious");
    await session.close();
  });

  test.runIf(alone)(
    `${title}, given by ${urlVariable}: what is in there is left alone`,
    { timeout },
    async () => {
      const full = await held(url);
      await using run = await openEngines({ env });
      await expect(run.lease(name)).rejects.toMatchObject({ code: "SERVER_NOT_EMPTY" });
      expect(await held(url)).toEqual(full);
    },
  );

  test(`${title}, given by ${urlVariable}, can't be had for one lease alone`, async () => {
    await using run = await openEngines({ env });
    await expect(run.lease(name, { isolation: "instance" })).rejects.toThrow(
      /can't be had for one lease alone/,
    );
  });

  test.runIf(name === "neo4j")("rules and indexes go with a lease", { timeout }, async () => {
    const driver = driverFor(url);
    await driver.executeQuery("MATCH (n) DETACH DELETE n");
    const empty = await held(url);
    await using run = await openEngines({ env });
    await using lease = await run.lease(name);
    await driver.executeQuery("CREATE CONSTRAINT `the ``rule` FOR (n:A) REQUIRE n.a IS UNIQUE");
    await driver.executeQuery("CREATE INDEX FOR (n:B) ON (n.b)");
    await lease[Symbol.asyncDispose]();
    expect(await held(url)).toEqual(empty);
    await driver.close();
  });

  // A broker tells its clients where to go; of that our proxy knows one form.
  test.runIf(name === "kafka")(
    "a broker that sends clients past the proxy is refused",
    async () => {
      const elsewhere = { ...env, [urlVariable]: url.replace("127.0.0.1", "localhost") };
      await using run = await openEngines({ env: elsewhere });
      await expect(run.lease(name)).rejects.toThrow(/clients are told to go to 127\.0\.0\.1:\d+/);
    },
  );
}

test("a server that can't be divided is not emptied unless the user says so", async () => {
  const env = { KATA_ENGINES: "external", KATA_NEO4J_URL: "bolt://127.0.0.1:1" };
  await using run = await openEngines({ env });
  await expect(run.lease("neo4j")).rejects.toThrowErrorMatchingInlineSnapshot(`
    [EngineError: No provider on this machine can run neo4j
      external: Neo4j has one database, so that each lease would empty all of KATA_NEO4J_URL when it ends
        → KATA_NEO4J_WIPE=yes, for a server that is empty and that nobody else uses
      container: KATA_ENGINES=external excludes it
        → unset KATA_ENGINES
      process: KATA_ENGINES=external excludes it
        → unset KATA_ENGINES
      library: Neo4j is a server, not a library
    What to do: any one of the commands above; the shortest way is often
      unset KATA_ENGINES]
  `);
});
