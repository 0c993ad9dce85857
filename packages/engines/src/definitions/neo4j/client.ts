import neo4j, { type Session } from "neo4j-driver";

/** @returns the server's version */
export async function versionAt(url: string): Promise<string> {
  const driver = neo4j.driver(url, undefined, { connectionTimeout: 5_000 });
  try {
    const { agent } = await driver.getServerInfo();
    return agent?.replace("Neo4j/", "") ?? "";
  } finally {
    await driver.close();
  }
}

/** Whether there is neither a node nor a rule for nodes. */
export async function isEmpty(url: string): Promise<boolean> {
  const driver = neo4j.driver(url);
  try {
    const session = driver.session();
    const nodes = await first(session, "MATCH (n) RETURN count(n)");
    const rules = await first(session, "SHOW CONSTRAINTS YIELD name RETURN count(name)");
    return nodes === 0 && rules === 0;
  } finally {
    await driver.close();
  }
}

async function first(session: Session, query: string): Promise<number> {
  const { records } = await session.run(query);
  return neo4j.int(records[0]?.get(0)).toNumber();
}
