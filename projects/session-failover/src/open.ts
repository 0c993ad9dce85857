/** Opens a node for an application: what the grader gets, and the operations beyond the contract. */
import type { NodeConfig, SessionNode } from "../contract.ts";
import type { ChosenIds } from "./chosen-ids.ts";
import type { Operable } from "./telemetry.ts";

export type Node = SessionNode & ChosenIds & Operable;

/**
 * It opens whether or not its stores are there; while they aren't, its calls fail with
 * `STORE_UNAVAILABLE`. The database must have been migrated. @throws RangeError for limits that can't be kept
 */
export async function openNode(config: NodeConfig): Promise<Node> {
  if (config.stores.kind === "local") {
    const { SqliteNode } = await import("./sqlite/sqlite-node.ts");
    return new SqliteNode(config, config.stores.sqlite);
  }
  const { PolyglotNode } = await import("./polyglot-node.ts");
  const node = new PolyglotNode(config, config.stores);
  await node.open();
  // Without PostgreSQL there is nothing to warm up, and a node opens all the same.
  await node.warmUp().catch(() => {});
  return node;
}
