/** EXPLAIN's JSON as a tree for people, and how two of them differ. */
import { z } from "zod";

const nodeSchema = z.looseObject({
  "Node Type": z.string(),
  get Plans(): z.ZodOptional<z.ZodArray<typeof nodeSchema>> {
    return z.array(nodeSchema).optional();
  },
});
type Raw = z.infer<typeof nodeSchema>;

export interface PlanNode {
  /** `Index Scan using orders_customer_idx on orders o` */
  readonly title: string;
  /** `Filter: (state = 'open')` … */
  readonly details: readonly string[];
  /** Milliseconds in this node, without those below it, over all its loops. */
  readonly ownMs: number | undefined;
  /** Per loop. */
  readonly estimatedRows: number;
  readonly rows: number | undefined;
  readonly loops: number;
  /** Pages touched by it and those below it. */
  readonly blocks: number | undefined;
  /** It is not in the plan that this one is compared with. */
  readonly changed: boolean;
  readonly children: readonly PlanNode[];
}

/** Two plans of one statement, what differs marked; `undefined` for what is no plan. */
export function compared(
  before: unknown,
  after: unknown,
): readonly [PlanNode | undefined, PlanNode | undefined] {
  const [one, other] = [rootOf(before), rootOf(after)];
  return [
    one && treeOf(one, missingFrom(one, other)),
    other && treeOf(other, missingFrom(other, one)),
  ];
}

function rootOf(plan: unknown): Raw | undefined {
  return z.looseObject({ Plan: nodeSchema }).safeParse(plan).data?.Plan;
}

/** What a reader would call the same step, whatever its figures are. */
function titleOf(node: Raw): string {
  const text = (key: string) => (typeof node[key] === "string" ? (node[key] as string) : undefined);
  const type = node["Node Type"];
  const join = text("Join Type");
  const parallel = node["Parallel Aware"] === true ? "Parallel " : "";
  const strategy = text("Strategy");
  const prefix = strategy === "Hashed" ? "Hash " : strategy === "Sorted" ? "Group " : "";
  const operation = type === "ModifyTable" ? text("Operation") : undefined;
  const index = text("Index Name");
  const relation = text("Relation Name") ?? text("CTE Name") ?? text("Function Name");
  const alias = text("Alias");
  return [
    `${parallel}${prefix}${operation ?? type}`,
    join && join !== "Inner" && `(${join.toLowerCase()})`,
    index && `using ${index}`,
    relation && `on ${relation}`,
    alias && alias !== relation && alias,
  ]
    .filter(Boolean)
    .join(" ");
}

/** Nodes of one that the other hasn't: as many of each title as there are more. */
function missingFrom(tree: Raw, other: Raw | undefined): ReadonlySet<Raw> {
  if (!other) return new Set();
  const there = new Map<string, number>();
  for (const node of nodesOf(other)) there.set(titleOf(node), (there.get(titleOf(node)) ?? 0) + 1);
  const missing = new Set<Raw>();
  for (const node of nodesOf(tree)) {
    const left = there.get(titleOf(node)) ?? 0;
    if (left === 0) missing.add(node);
    else there.set(titleOf(node), left - 1);
  }
  return missing;
}

function* nodesOf(node: Raw): Generator<Raw> {
  yield node;
  for (const child of node.Plans ?? []) yield* nodesOf(child);
}

function treeOf(node: Raw, changed: ReadonlySet<Raw>): PlanNode {
  const number = (key: string) =>
    typeof node[key] === "number" ? (node[key] as number) : undefined;
  const loops = number("Actual Loops") ?? 1;
  const blocks = number("Shared Hit Blocks");
  const role = node["Subplan Name"];
  return {
    title: `${typeof role === "string" ? `${role}: ` : ""}${titleOf(node)}`,
    details: DETAILS.flatMap((key) => detailOf(key, node[key])),
    ownMs: ownMsOf(node),
    estimatedRows: number("Plan Rows") ?? 0,
    rows: number("Actual Rows"),
    loops,
    blocks: blocks === undefined ? undefined : blocks + (number("Shared Read Blocks") ?? 0),
    changed: changed.has(node),
    children: (node.Plans ?? []).map((child) => treeOf(child, changed)),
  };
}

/** Times are per loop and include those below. */
function totalMsOf(node: Raw): number | undefined {
  const [ms, loops] = [node["Actual Total Time"], node["Actual Loops"]];
  return typeof ms === "number" && typeof loops === "number" ? ms * loops : undefined;
}

/** Workers and main process run at the same moment, so that a difference may come out below zero. */
function ownMsOf(node: Raw): number | undefined {
  const total = totalMsOf(node);
  if (total === undefined) return undefined;
  const below = (node.Plans ?? []).reduce((sum, child) => sum + (totalMsOf(child) ?? 0), 0);
  return Math.max(0, total - below);
}

const DETAILS = [
  "Index Cond",
  "Recheck Cond",
  "Hash Cond",
  "Merge Cond",
  "Join Filter",
  "Filter",
  "Rows Removed by Filter",
  "Rows Removed by Index Recheck",
  "Order By",
  "Sort Key",
  "Sort Method",
  "Group Key",
  "Heap Fetches",
];

function detailOf(key: string, value: unknown): readonly string[] {
  if (value === undefined || value === 0) return [];
  return [`${key}: ${Array.isArray(value) ? value.join(", ") : String(value)}`];
}
