/** How a server that a lease gave back is made as good as new, so that the next needn't wait for a start. */
import type { Recycler } from "../../definition.ts";
import { type Ask, type Asking, asking } from "./asked.ts";
import { type Graph, makeGraph, readGraph, removeGraph, size } from "./graph.ts";

/** Nodes and relationships; with more, another server is there sooner than this one is renewed. */
const most = 50_000;
/** Nodes and relationships: for fewer, one plan is as good as another. */
const plansMatter = 1_000;
/** In which whoever was connected must be gone. */
const partingMs = 5_000;

/** The indexes of an empty database; a name is a digest of what is indexed. */
const lookups = ["index_343aff4e", "index_f7700477"];
/** Of these kinds an index that has lost its entries is as one that never had any; others are Lucene's. */
const plain = ["LOOKUP", "RANGE", "POINT"];

interface Index {
  readonly name: string;
  readonly type: string;
  /** The constraint that it is there for. */
  readonly owningConstraint: string | null;
  readonly createStatement: string;
}

interface Contents extends Graph {
  readonly schema: readonly Index[];
}

const empty: Contents = { schema: [], nodes: [], relationships: [] };

export function recycler(url: string): Recycler {
  const connection = asking(url);
  return {
    read: () => read(connection),
    renew: (contents) => renew(connection, contents as Contents | undefined),
    close: async () => connection[Symbol.asyncDispose](),
  };
}

async function read({ ask }: Asking): Promise<Contents | undefined> {
  const schema = await schemaOf(ask);
  const [found] = await ask<{ size: number }>(`RETURN ${size} AS size`);
  if ((found?.size ?? 0) > most || !isUsual(schema) || (await hasUsers(ask))) return undefined;
  return { schema: schema.filter(isMade), ...(await readGraph(ask)) };
}

async function renew({ ask, agent }: Asking, contents: Contents = empty): Promise<void> {
  const size = await disconnectOthers(ask, agent);
  if (size > most) throw new Error(`${size} nodes and relationships are left`);
  const schema = await schemaOf(ask);
  if (!isUsual(schema)) throw new Error("indexes are gone that every database has");
  if (await hasUsers(ask)) throw new Error("users were made");
  // There may be more by now than was counted.
  await removeGraph(ask);
  await adjustSchema(ask, schema.filter(isMade), contents.schema);
  await makeGraph(ask, contents);
  const loaded = contents.nodes.length + contents.relationships.length;
  if (Math.max(size, loaded) > plansMatter) await ask("CALL db.clearQueryCaches()");
}

/** Does with a server what clients will, and what is done with it afterwards. */
export async function tryOut(url: string): Promise<void> {
  await using connection = asking(url);
  const { ask } = connection;
  await ask("CREATE CONSTRAINT tried IF NOT EXISTS FOR (n:Tried) REQUIRE n.id IS UNIQUE");
  await ask("MERGE (n:Tried {id: $id}) SET n.at = $id RETURN n", { id: 1 });
  await ask("MATCH (a:Tried {id: $id}) CREATE (a)-[:TRIED]->(b:Tried {at: $id})", { id: 1 });
  await ask("MATCH (a:Tried)-[r*1..2]-(b) WHERE a.id > 0 RETURN b.at, count(*) ORDER BY b.at");
  await renew(connection, await read(connection));
}

/**
 * Whose connection broke may have left a transaction that is not over yet.
 * @returns about how many nodes and relationships are there
 */
async function disconnectOthers(ask: Ask, agent: string): Promise<number> {
  const deadline = Date.now() + partingMs;
  for (;;) {
    const [found] = await ask<{ ids: string[]; size: number }>(
      `CALL dbms.listConnections() YIELD connectionId, userAgent WHERE userAgent <> $agent
       WITH collect(connectionId) AS ids RETURN ids, ${size} AS size`,
      { agent },
    );
    const { ids = [], size: left = 0 } = found ?? {};
    if (ids.length > 0) await ask("CALL dbms.killConnections($ids)", { ids });
    // This very question is one.
    else if ((await ask("SHOW TRANSACTIONS YIELD transactionId")).length <= 1) return left;
    if (Date.now() > deadline) throw new Error("somebody is still connected");
  }
}

function schemaOf(ask: Ask): Promise<Index[]> {
  return ask<Index>("SHOW INDEXES YIELD name, type, owningConstraint, createStatement");
}

function isUsual(schema: readonly Index[]): boolean {
  return lookups.every((name) => schema.some((each) => each.name === name));
}

function isMade({ name }: Index): boolean {
  return !lookups.includes(name);
}

async function hasUsers(ask: Ask): Promise<boolean> {
  return (await ask("SHOW USERS YIELD user")).length > 1;
}

async function adjustSchema(
  ask: Ask,
  there: readonly Index[],
  wanted: readonly Index[],
): Promise<void> {
  const stays = (index: Index, others: readonly Index[]) =>
    plain.includes(index.type) &&
    others.some(({ createStatement }) => createStatement === index.createStatement);
  for (const index of there.filter((each) => !stays(each, wanted)))
    await ask(
      index.owningConstraint === null
        ? `DROP INDEX ${quoted(index.name)}`
        : `DROP CONSTRAINT ${quoted(index.owningConstraint)}`,
    );
  const missing = wanted.filter((each) => !stays(each, there));
  for (const { createStatement } of missing) await ask(createStatement);
  if (missing.length > 0) await ask("CALL db.awaitIndexes(60)");
}

function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
