/** Statements, as the advisor understands them. */
import type { Node } from "@pgsql/types";
import type { Skipped, Statement } from "../../contract.ts";
import type { Catalog } from "../catalog.ts";
import type { Access, Query } from "../model.ts";
import type { Parameters } from "../parameters.ts";
import { inTrial } from "./dry-run.ts";
import { type Analysis, scopeOf } from "./scope.ts";
import { select } from "./select.ts";
import { accessOf } from "./settle.ts";
import { statement } from "./statements.ts";
import { grammar, type Parsed, statementsOf } from "./tree.ts";

export interface Understood {
  /** In the order of the request. */
  readonly queries: readonly Query[];
  readonly skipped: readonly Skipped[];
}

const ADVISED = ["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"];

/** Why a statement is not for an advisor, in words for people. */
class Unfit extends Error {}

function only(sql: string): Parsed {
  let parsed: readonly Parsed[];
  try {
    parsed = statementsOf(sql);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Unfit(`PostgreSQL's grammar doesn't accept it: ${reason}.`);
  }
  const [first, ...more] = parsed;
  if (first === undefined) throw new Unfit("There is no statement in it.");
  if (more.length > 0) throw new Unfit(`It is ${parsed.length} statements; give them one by one.`);
  const [kind = ""] = Object.keys(first.node);
  if (!ADVISED.includes(kind))
    throw new Unfit("Only SELECT, INSERT, UPDATE and DELETE can gain from an index.");
  if ("SelectStmt" in first.node && first.node.SelectStmt.intoClause !== undefined)
    throw new Unfit("SELECT INTO makes a table; give the SELECT alone.");
  return first;
}

function analysed(node: Node, catalog: Catalog): Analysis {
  const analysis: Analysis = { catalog, drafts: [], uses: [], ors: 0, kind: "select", select };
  statement(node, scopeOf(analysis));
  return analysis;
}

/** The server's own words, where it was the server that refused. */
function isRefusal(error: unknown): error is Error {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    // 08: the connection; 53, 57, 58: the server's own trouble; 25006: all of it is read-only.
    /^(?!08|53|57|58|25006)[0-9A-Z]{5}$/.test(error.code)
  );
}

/**
 * A statement that can't be used is skipped, with the reason; the rest goes on. The copy is asked for what
 * only a server knows, and is as before afterwards.
 *
 * @throws pg's errors where a connection breaks
 */
export async function understand(
  statements: readonly Statement[],
  catalog: Catalog,
  parameters: Parameters,
): Promise<Understood> {
  await grammar();
  const understood: { analysis: Analysis; query: Omit<Query, "accesses"> }[] = [];
  const skipped: Skipped[] = [];
  for (const [n, { sql, calls }] of statements.entries()) {
    try {
      const parsed = only(sql);
      const analysis = analysed(parsed.node, catalog);
      const instances = await parameters.instances({ ...parsed, uses: analysis.uses });
      understood.push({ analysis, query: { statement: n, calls, kind: analysis.kind, instances } });
    } catch (error) {
      if (error instanceof Unfit) skipped.push({ statement: n, why: error.message });
      else if (isRefusal(error))
        skipped.push({ statement: n, why: `The server doesn't accept it: ${error.message}.` });
      else throw error;
    }
  }
  const queries: Query[] = [];
  await inTrial(parameters.client, async (trial) => {
    for (const { analysis, query } of understood) {
      const accesses: Access[] = [];
      for (const draft of analysis.drafts) accesses.push(await accessOf(draft, trial));
      queries.push({ ...query, accesses });
    }
  });
  return { queries, skipped };
}
