import neo4j, { type Driver } from "neo4j-driver";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EngineRun, openEngines } from "../src/index.ts";

const { chosen } = await (async () => {
  await using run = await openEngines();
  return run.probe("neo4j");
})();

/** A start takes seconds. */
const asked = process.env.KATA_CONFORMANCE === "all";

describe.runIf(chosen && asked)("Neo4j", { timeout: 180_000 }, () => {
  let run: EngineRun;
  beforeAll(
    async () => {
      run = await openEngines();
      await (await run.lease("neo4j"))[Symbol.asyncDispose]();
    },
    chosen?.fetch ? 900_000 : 180_000,
  );
  afterAll(() => run[Symbol.asyncDispose]());

  const ask = async (driver: Driver, query: string) => {
    const { records } = await driver.executeQuery(query);
    return records.map((record) => record.toObject());
  };

  test("a server that is handed on shows nothing of the lease before", async () => {
    const look = async (driver: Driver) => ({
      nodes: await ask(driver, "MATCH (n) RETURN n"),
      labels: await ask(driver, "CALL db.labels()"),
      types: await ask(driver, "CALL db.relationshipTypes()"),
      indexes: await ask(driver, "SHOW INDEXES YIELD name, createStatement"),
      constraints: await ask(driver, "SHOW CONSTRAINTS YIELD name"),
      transactions: (await ask(driver, "SHOW TRANSACTIONS YIELD transactionId")).length,
      users: await ask(driver, "SHOW USERS YIELD user"),
    });
    const lease = await run.lease("neo4j");
    const driver = neo4j.driver(await lease.urlFor("a"));
    const fresh = await look(driver);
    await ask(driver, "UNWIND range(1, 2000) AS id CREATE (:Person {id: id})-[:KNOWS]->(:City)");
    await ask(driver, "CREATE CONSTRAINT FOR (n:Person) REQUIRE n.id IS UNIQUE");
    await ask(driver, "CREATE INDEX FOR (n:City) ON (n.name)");
    await ask(driver, "CREATE FULLTEXT INDEX FOR (n:City) ON EACH [n.name]");
    // Whoever is killed leaves one that is not over, with locks.
    const left = driver.session().beginTransaction();
    await left.run("MATCH (n) SET n.left = true");
    const { adminUrl } = lease;
    await lease[Symbol.asyncDispose]();
    await driver.close();

    await using next = await run.lease("neo4j");
    expect(next.adminUrl).toBe(adminUrl);
    const successor = neo4j.driver(await next.urlFor("a"));
    expect(await look(successor)).toEqual(fresh);
    await successor.close();
  });

  test("a server with what can't be taken away is not handed on", async () => {
    for (const query of [
      "CREATE USER eve SET PASSWORD 'abcdefgh12'",
      "DROP INDEX index_343aff4e",
    ]) {
      const lease = await run.lease("neo4j");
      const driver = neo4j.driver(await lease.urlFor("a"));
      await ask(driver, query);
      await driver.close();
      const { adminUrl } = lease;
      await lease[Symbol.asyncDispose]();
      await using next = await run.lease("neo4j");
      expect(next.adminUrl).not.toBe(adminUrl);
    }
  });

  test("a clone has all that its template has", async () => {
    const template = {
      key: "all kinds",
      async build(url: string) {
        const driver = neo4j.driver(url);
        await ask(driver, "CREATE CONSTRAINT one FOR (n:`A b`) REQUIRE n.id IS UNIQUE");
        await ask(driver, "CREATE TEXT INDEX two FOR (n:C) ON (n.text)");
        await ask(
          driver,
          `CREATE VECTOR INDEX three FOR (n:C) ON (n.vector)
           OPTIONS {indexConfig: {\`vector.dimensions\`: 2, \`vector.similarity_function\`: 'cosine'}}`,
        );
        await ask(
          driver,
          `CREATE (a:\`A b\`:C {id: 9007199254740993, float: 1.0, text: 'ä', vector: [1.0, 0.5],
             at: datetime('2026-01-02T03:04:05.678901234+01:00[Europe/Berlin]'), day: date('2026-01-02'),
             long: duration('P1M2DT3S'), where: point({x: 1, y: 2}), flags: [true, false]}),
           (b {name: 'no label'}), (a)-[:\`TO the\` {since: 1}]->(b), (b)-[:SELF]->(b)`,
        );
        await driver.close();
      },
    };
    const look = async (driver: Driver) => ({
      nodes: await ask(driver, "MATCH (n) RETURN labels(n), properties(n) ORDER BY n.id"),
      links: await ask(
        driver,
        "MATCH (a)-[r]->(b) RETURN type(r) AS type, properties(r), properties(a), properties(b) ORDER BY type",
      ),
      schema: await ask(driver, "SHOW INDEXES YIELD createStatement, state"),
      near: await ask(
        driver,
        "CALL db.index.vector.queryNodes('three', 1, [1.0, 0.5]) YIELD node RETURN node.text",
      ),
    });
    // The first has it as it was built, the second as it was put into another, the third as it was renewed.
    const leases = [await run.lease("neo4j", { template }), await run.lease("neo4j", { template })];
    const seen: unknown[] = [];
    const see = async (lease: (typeof leases)[number]) => {
      const driver = neo4j.driver(await lease.urlFor("a"));
      seen.push(await look(driver));
      await ask(driver, "MATCH (n) DETACH DELETE n");
      await driver.close();
      await lease[Symbol.asyncDispose]();
    };
    for (const lease of leases) await see(lease);
    await see(await run.lease("neo4j", { template }));
    const [built, ...copies] = seen;
    expect(built).toMatchObject({ nodes: [{}, {}], links: [{}, {}], near: [{}] });
    expect(copies).toEqual([built, built]);
  });
});
