/** What `EXPLAIN (FORMAT JSON)` tells. */
export interface PlanNode {
  readonly "Node Type": string;
  readonly Schema?: string;
  readonly "Relation Name"?: string;
  readonly Alias?: string;
  readonly "Index Name"?: string;
  readonly Output?: readonly string[];
  readonly "Shared Hit Blocks"?: number;
  readonly "Shared Read Blocks"?: number;
  readonly "Actual Rows"?: number;
  readonly "Actual Loops"?: number;
  readonly Plans?: readonly PlanNode[];
  readonly [field: string]: unknown;
}

export interface Run {
  /** Blocks touched to find rows: all of a SELECT. */
  readonly found: number;
  /** Blocks touched to write them, indexes included. */
  readonly wrote: number;
  /** How many rows it writes, as its plan has found them. */
  readonly rows: number;
  /** Triggers included. */
  readonly ms: number;
}

/** Of what couldn't be run. */
export const NOTHING: Run = { found: 0, wrote: 0, rows: 0, ms: 0 };

export function nodesOf(root: PlanNode): PlanNode[] {
  return [root, ...(root.Plans ?? []).flatMap(nodesOf)];
}

export function indexesOf(root: PlanNode): Set<string> {
  const names = nodesOf(root).flatMap((node) => node["Index Name"] ?? []);
  return new Set(names);
}

export function runOf(root: PlanNode, ms: number): Run {
  const touched = blocksOf(root);
  if (root["Node Type"] !== "ModifyTable") return { found: touched, wrote: 0, rows: 0, ms };
  const below = root.Plans ?? [];
  const found = below.reduce((sum, node) => sum + blocksOf(node), 0);
  const rows = below.reduce(
    (sum, node) => sum + (node["Actual Rows"] ?? 0) * (node["Actual Loops"] ?? 1),
    0,
  );
  return { found, wrote: touched - found, rows, ms };
}

/** A node's count has those of all below it. */
function blocksOf(node: PlanNode): number {
  return (node["Shared Hit Blocks"] ?? 0) + (node["Shared Read Blocks"] ?? 0);
}
