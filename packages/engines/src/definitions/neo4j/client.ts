import neo4j, { type Config, type Driver, type Session } from "neo4j-driver";

/**
 * A client of the server at an address, which may name a user: the driver wants that apart from it.
 * Only `bolt:` is for one server: with `neo4j:` it would ask where to go, and go around our proxies
 * (Neo4j JavaScript driver manual, "Connection").
 */
export function driverFor(url: string, config: Config = {}): Driver {
  const { protocol, host, username, password } = new URL(url);
  if (protocol !== "bolt:") throw new Error(`its address must begin with bolt:, not ${protocol}`);
  const auth = username
    ? neo4j.auth.basic(decodeURIComponent(username), decodeURIComponent(password))
    : undefined;
  return neo4j.driver(`bolt://${host}`, auth, { connectionTimeout: 5_000, ...config });
}

/** @returns the server's version */
export async function versionAt(url: string): Promise<string> {
  const driver = driverFor(url);
  try {
    const { agent } = await driver.getServerInfo();
    return agent?.replace("Neo4j/", "") ?? "";
  } finally {
    await driver.close();
  }
}

/** Indexes, but for those that every database has. */
const indexes = "SHOW INDEXES YIELD name, type, owningConstraint WHERE type <> 'LOOKUP'";

/** Whether there is neither a node nor a rule for nodes: each rule of the Community edition has an index. */
export function isEmpty(url: string): Promise<boolean> {
  return asked(url, async (session) => {
    const nodes = await first(session, "MATCH (n) RETURN count(n)");
    const rules = await first(session, `${indexes} RETURN count(name)`);
    return nodes === 0 && rules === 0;
  });
}

/** Removes all nodes, rules and indexes, some thousand nodes at a time. */
export function clear(url: string): Promise<void> {
  return asked(url, async (session) => {
    await session.run("MATCH (n) CALL { WITH n DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS");
    const { records } = await session.run(`${indexes} RETURN name, owningConstraint`);
    for (const record of records) {
      const kind = record.get("owningConstraint") === null ? "INDEX" : "CONSTRAINT";
      const name = String(record.get(kind === "INDEX" ? "name" : "owningConstraint"));
      await session.run(`DROP ${kind} \`${name.replaceAll("`", "``")}\` IF EXISTS`);
    }
  });
}

async function asked<T>(url: string, work: (session: Session) => Promise<T>): Promise<T> {
  const driver = driverFor(url);
  try {
    return await work(driver.session());
  } finally {
    await driver.close();
  }
}

async function first(session: Session, query: string): Promise<number> {
  const { records } = await session.run(query);
  return neo4j.int(records[0]?.get(0)).toNumber();
}
