/** EXPLAIN's JSON: what of it the advisor looks at. */
import { z } from "zod";

export interface PlanNode {
  readonly "Node Type": string;
  readonly "Total Cost": number;
  readonly "Actual Rows"?: number | undefined;
  readonly "Actual Loops"?: number | undefined;
  readonly "Plan Rows": number;
  readonly "Index Name"?: string | undefined;
  readonly "Relation Name"?: string | undefined;
  /** Only with VERBOSE. */
  readonly Schema?: string | undefined;
  readonly "Shared Hit Blocks"?: number | undefined;
  readonly "Shared Read Blocks"?: number | undefined;
  readonly Operation?: string | undefined;
  readonly "Parent Relationship"?: string | undefined;
  /** Of INSERT … ON CONFLICT. */
  readonly "Conflict Resolution"?: string | undefined;
  readonly "Conflicting Tuples"?: number | undefined;
  readonly Plans?: readonly PlanNode[] | undefined;
}

export interface Explained {
  readonly Plan: PlanNode;
  /** In milliseconds; only of `ANALYZE`. It has the triggers' time in it. */
  readonly "Execution Time"?: number | undefined;
}

const node: z.ZodType<PlanNode> = z.looseObject({
  "Node Type": z.string(),
  "Total Cost": z.number(),
  "Actual Rows": z.number().optional(),
  "Actual Loops": z.number().optional(),
  "Plan Rows": z.number(),
  "Index Name": z.string().optional(),
  "Relation Name": z.string().optional(),
  Schema: z.string().optional(),
  "Shared Hit Blocks": z.number().optional(),
  "Shared Read Blocks": z.number().optional(),
  Operation: z.string().optional(),
  "Parent Relationship": z.string().optional(),
  "Conflict Resolution": z.string().optional(),
  "Conflicting Tuples": z.number().optional(),
  get Plans() {
    return z.array(node).optional();
  },
});

const answer = z.tuple([
  z.object({
    "QUERY PLAN": z.tuple([z.looseObject({ Plan: node, "Execution Time": z.number().optional() })]),
  }),
]);

/** @param rows what `EXPLAIN (FORMAT JSON)` returned */
export function explainedOf(rows: unknown): Explained {
  return answer.parse(rows)[0]["QUERY PLAN"][0];
}

export function* nodesOf(plan: PlanNode): Generator<PlanNode> {
  yield plan;
  for (const child of plan.Plans ?? []) yield* nodesOf(child);
}

/** Names as EXPLAIN writes them: without a schema. */
export function indexesOf({ Plan }: Explained): ReadonlySet<string> {
  const names = [...nodesOf(Plan)].map((n) => n["Index Name"]).filter((n) => n !== undefined);
  return new Set(names);
}

/** Tables, as EXPLAIN writes them: without a schema. */
export function relationsOf({ Plan }: Explained): ReadonlySet<string> {
  const names = [...nodesOf(Plan)].map((n) => n["Relation Name"]).filter((n) => n !== undefined);
  return new Set(names);
}

/** Pages touched, in shared buffers or from disk, by the statement itself: triggers' are not in EXPLAIN. */
export function blocksOf({ Plan }: Explained): number {
  return (Plan["Shared Hit Blocks"] ?? 0) + (Plan["Shared Read Blocks"] ?? 0);
}

/** What one call writes to one table: of a view, to the table behind it; of a partitioned one, to all of it. */
export interface Written {
  readonly kind: "insert" | "update" | "delete";
  /** As EXPLAIN writes it: without a schema. */
  readonly table: string;
  readonly rows: number;
}

/** By each part of the statement that writes: there may be several in WITH. */
export function writesOf({ Plan }: Explained): readonly Written[] {
  return [...nodesOf(Plan)].flatMap((node): Written[] => {
    const { "Node Type": type, "Relation Name": table = "", Operation = "", Plans = [] } = node;
    if (type !== "ModifyTable") return [];
    // Its other children are what was asked before it (InitPlan), not what it writes.
    const sources = Plans.filter((child) => child["Parent Relationship"] === "Outer");
    const rows = sources.reduce(
      (sum, child) =>
        sum + (child["Actual Rows"] ?? child["Plan Rows"]) * (child["Actual Loops"] ?? 1),
      0,
    );
    const kind = kinds.get(Operation);
    if (kind === undefined) return [];
    const written = [{ kind, table, rows }];
    // How many rows were there already, EXPLAIN says as "Conflicting Tuples"; without a run nobody knows.
    const updated =
      node["Conflict Resolution"] === "UPDATE" ? (node["Conflicting Tuples"] ?? rows) : 0;
    return updated > 0 ? [...written, { kind: "update", table, rows: updated }] : written;
  });
}

const kinds: ReadonlyMap<string, Written["kind"]> = new Map([
  ["Insert", "insert"],
  ["Update", "update"],
  ["Delete", "delete"],
]);

/**
 * What stays the same as long as the plan does: without costs, estimates and what a run measured. The same
 * plan on the same rows does the same work, so that two runs of it that take different times show noise.
 */
export function signatureOf({ Plan }: Explained): string {
  return JSON.stringify(Plan, (key, value: unknown) => (volatile.test(key) ? undefined : value));
}

const volatile =
  /Cost$|^Plan (Rows|Width)$|^Actual |Blocks$|Time$|^Rows Removed|^Conflicting Tuples$|^Tuples Inserted$|^Heap Fetches$|^Workers( Launched)?$|^Sort (Method|Space)|^Peak Memory|^Hash B|^Original Hash|^Disk Usage|^HashAgg Batches|^Planned Partitions$|^Cache |^Full-sort|^Pre-sorted|^JIT$|^Worker/;
