/** What a plan of EXPLAIN's JSON comes to: sums by kind of operator, and how each table is read. */
import { z } from "zod";

/** The operators that sums are kept of; whatever else a plan has counts as `other`. */
export const operatorKinds = [
  "seqScan",
  "indexScan",
  "indexOnlyScan",
  "bitmapScan",
  "nestedLoop",
  "hashJoin",
  "mergeJoin",
  "sort",
  "aggregate",
  "other",
] as const;

export type OperatorKind = (typeof operatorKinds)[number];

export interface Scan {
  /** Without its schema: EXPLAIN tells that only with VERBOSE. */
  readonly table: string;
  readonly kind: "seqScan" | "indexScan" | "indexOnlyScan" | "bitmapScan";
  /** Names of the indexes that it reads. */
  readonly indexes: readonly string[];
  /** Rows that the planner expects of one pass. */
  readonly rows: number;
  /** Of one pass, in the planner's units. */
  readonly cost: number;
}

export interface PlanSummary {
  /** In the planner's units. */
  readonly startupCost: number;
  readonly totalCost: number;
  readonly rows: number;
  /** Bytes of a row of the result. */
  readonly width: number;
  readonly operators: number;
  /** What each kind costs beyond its inputs, in the planner's units. A loop's repeated inner side counts as the loop's. */
  readonly costs: Readonly<Record<OperatorKind, number>>;
  readonly scans: readonly Scan[];
}

interface Operator {
  "Node Type": string;
  "Startup Cost": number;
  "Total Cost": number;
  "Plan Rows": number;
  "Plan Width": number;
  "Relation Name"?: string | undefined;
  "Index Name"?: string | undefined;
  Plans?: Operator[] | undefined;
}

const operator: z.ZodType<Operator> = z.object({
  "Node Type": z.string(),
  "Startup Cost": z.number(),
  "Total Cost": z.number(),
  "Plan Rows": z.number(),
  "Plan Width": z.number(),
  "Relation Name": z.string().optional(),
  "Index Name": z.string().optional(),
  get Plans() {
    return z.array(operator).optional();
  },
});
const explained = z.tuple([z.object({ Plan: operator })]).rest(z.unknown());

const kinds: { readonly [nodeType: string]: OperatorKind } = {
  "Seq Scan": "seqScan",
  "Index Scan": "indexScan",
  "Index Only Scan": "indexOnlyScan",
  "Bitmap Heap Scan": "bitmapScan",
  "Bitmap Index Scan": "bitmapScan",
  "Nested Loop": "nestedLoop",
  "Hash Join": "hashJoin",
  Hash: "hashJoin",
  "Merge Join": "mergeJoin",
  Sort: "sort",
  "Incremental Sort": "sort",
  Aggregate: "aggregate",
  Group: "aggregate",
};

/** @param explain what `EXPLAIN (FORMAT JSON)` answers, with or without ANALYZE @throws {z.ZodError} where it is something else */
export function summarize(explain: unknown): PlanSummary {
  const [{ Plan: root }] = explained.parse(explain);
  const costs = Object.fromEntries(operatorKinds.map((kind) => [kind, 0])) as Record<
    OperatorKind,
    number
  >;
  const scans: Scan[] = [];
  let operators = 0;
  const visit = (node: Operator): void => {
    operators++;
    const children = node.Plans ?? [];
    const inputs = children.reduce((sum, child) => sum + child["Total Cost"], 0);
    const kind = kinds[node["Node Type"]] ?? "other";
    // A LIMIT pays for a part of its input only, and would come out below nothing.
    costs[kind] += Math.max(0, node["Total Cost"] - inputs);
    const table = node["Relation Name"];
    if (table !== undefined && isScan(kind)) {
      scans.push({
        table,
        kind,
        indexes: indexesBelow(node),
        rows: node["Plan Rows"],
        cost: node["Total Cost"],
      });
    }
    for (const child of children) visit(child);
  };
  visit(root);
  return {
    startupCost: root["Startup Cost"],
    totalCost: root["Total Cost"],
    rows: root["Plan Rows"],
    width: root["Plan Width"],
    operators,
    costs,
    scans,
  };
}

function isScan(kind: OperatorKind): kind is Scan["kind"] {
  return (
    kind === "seqScan" || kind === "indexScan" || kind === "indexOnlyScan" || kind === "bitmapScan"
  );
}

/** A bitmap's indexes are on the operators below it, which name no table. */
function indexesBelow(node: Operator): string[] {
  const own = node["Index Name"];
  const below = (node.Plans ?? []).filter(
    (child) => child["Relation Name"] === undefined && !child["Node Type"].endsWith("Join"),
  );
  return [...(own === undefined ? [] : [own]), ...below.flatMap(indexesBelow)];
}
