/** The whole way from a workload to a set of indexes with its evidence. */
import type { Advice, AdviseRequest, Skipped } from "../../contract.ts";
import { Builder } from "./built.ts";
import { Catalogue } from "./catalogue.ts";
import { Copy } from "./copy.ts";
import { type Connection, isRefusal } from "./databases.ts";
import { AdvisorError, messageOf } from "./errors.ts";
import { measured } from "./evidence.ts";
import type { ExistingIndex } from "./indexes.ts";
import { Prices } from "./prices.ts";
import { definitionsOf, Preparer, type Query } from "./queries.ts";
import { selected } from "./select.ts";
import { superfluous } from "./superfluous.ts";
import { understood } from "./understand.ts";

/** How long statements are looked at, as a share of the call's time; the most frequent ones first. */
const PREPARE_SHARE = 0.4;
/** How long candidates are built, and sets compared, as shares of the time that is left when that begins. */
const BUILD_SHARE = 0.45;
const SEARCH_SHARE = 0.6;

/** `existing` are the target's indexes: all that is read of it. */
export async function advise(
  scratch: Connection,
  existing: readonly ExistingIndex[],
  request: AdviseRequest,
  deadline: number,
): Promise<Advice> {
  const { queries: statements, skipped } = await understood(request.statements);
  await using copy = await Copy.open(scratch, deadline);
  const until = (share: number) => Date.now() + copy.leftMs() * share;
  const { queries, refused } = await prepared(copy, statements);
  const budgetBytes = request.budgetBytes ?? Number.POSITIVE_INFINITY;
  const builder = new Builder(copy, existing, until(BUILD_SHARE));
  await builder.build(definitionsOf(queries), budgetBytes);
  const prices = new Prices(copy, builder.built);
  const selection = { queries, builder, prices, budgetBytes, until: until(SEARCH_SHARE) };
  const set = await selected(selection);
  const figures = await measured(copy, queries, prices, builder, set);
  for (const candidate of builder.built) {
    if (set.includes(candidate)) continue;
    builder.reject(candidate.definition, "others do better, or fit the budget better");
  }
  return {
    ...figures,
    drop: superfluous(existing),
    rejected: builder.rejected,
    skipped: [...skipped, ...refused].sort((a, b) => a.statement - b.statement),
  };
}

async function prepared(
  copy: Copy,
  statements: Awaited<ReturnType<typeof understood>>["queries"],
): Promise<{ queries: Query[]; refused: Skipped[] }> {
  const preparer = new Preparer(copy, new Catalogue(copy));
  const queries: Query[] = [];
  const refused: Skipped[] = [];
  const until = Date.now() + copy.leftMs() * PREPARE_SHARE;
  for (const statement of [...statements].sort((a, b) => b.calls - a.calls)) {
    if (Date.now() > until) {
      refused.push({ statement: statement.statement, why: "there was no time left to look at it" });
      continue;
    }
    try {
      queries.push(...(await preparer.prepared(statement)));
    } catch (error) {
      if (error instanceof AdvisorError) throw error;
      const why = isRefusal(error) ? `the copy refused it: ${error.message}` : messageOf(error);
      refused.push({ statement: statement.statement, why });
    }
  }
  return { queries, refused };
}
