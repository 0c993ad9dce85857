/** What is in a database, read by a client and put into another. */
import type { Ask } from "./asked.ts";

/** Nodes or relationships that one query makes or removes. */
export const batch = 5_000;

/** Values are as the driver gives them, who takes them back likewise. */
export interface Graph {
  readonly nodes: readonly Node[];
  readonly relationships: readonly Relationship[];
}

interface Node {
  readonly id: string;
  readonly labels: readonly string[];
  readonly properties: object;
}

interface Relationship {
  readonly from: string;
  readonly to: string;
  readonly type: string;
  readonly properties: object;
}

/** In a query: how many nodes and relationships there are; the server has counted already. */
export const size = "toFloat(COUNT { (n) } + COUNT { ()-[r]->() })";

export async function readGraph(ask: Ask): Promise<Graph> {
  const nodes = await ask<Node>(
    "MATCH (n) RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS properties",
  );
  const relationships = await ask<Relationship>(
    "MATCH (a)-[r]->(b) RETURN elementId(a) AS from, elementId(b) AS to, type(r) AS type, properties(r) AS properties",
  );
  return { nodes, relationships };
}

export async function removeGraph(ask: Ask): Promise<void> {
  await ask(`MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF ${batch} ROWS`);
}

/** Puts it into a database, where its nodes get ids of their own. */
export async function makeGraph(ask: Ask, { nodes, relationships }: Graph): Promise<void> {
  const ids = new Map<string, string>();
  for (const [labels, rows] of alike(nodes, (node) => node.labels.map(quoted).join(""))) {
    const made = await ask<{ id: string; was: string }>(
      `UNWIND $rows AS row CREATE (n${labels}) SET n = row.properties RETURN row.id AS was, elementId(n) AS id`,
      { rows },
    );
    for (const { id, was } of made) ids.set(was, id);
  }
  for (const [type, rows] of alike(relationships, (each) => quoted(each.type))) {
    const placed = rows.map(({ from, to, properties }) => ({
      from: ids.get(from),
      to: ids.get(to),
      properties,
    }));
    await ask(
      `UNWIND $rows AS row MATCH (a) WHERE elementId(a) = row.from MATCH (b) WHERE elementId(b) = row.to CREATE (a)-[r${type}]->(b) SET r = row.properties`,
      { rows: placed },
    );
  }
}

/** Batches of items that have the same kind: labels and types can't be parameters. */
function* alike<T>(items: readonly T[], kindOf: (item: T) => string): Generator<[string, T[]]> {
  for (const [kind, all] of Map.groupBy(items, kindOf))
    for (let at = 0; at < all.length; at += batch) yield [kind, all.slice(at, at + batch)];
}

function quoted(name: string): string {
  return `:\`${name.replaceAll("`", "``")}\``;
}
