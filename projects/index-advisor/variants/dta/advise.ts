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
import { templateOf } from "./templates.ts";
import { type Understood, understood } from "./understand.ts";

/** How long statements are looked at, as a share of the call's time; the most frequent ones first. */
const PREPARE_SHARE = 0.4;
/** How long indexes are built, sets compared and figures taken, as shares of what is left when that begins. */
const BUILD_SHARE = 0.45;
const SEARCH_SHARE = 0.6;
const MEASURE_SHARE = 0.6;

/** So many statements of one template are tried. */
const REPRESENTATIVES = 3;

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
  const figures = await measured(copy, queries, prices, builder, set, until(MEASURE_SHARE));
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
  statements: readonly Understood[],
): Promise<{ queries: Query[]; refused: Skipped[] }> {
  const preparer = new Preparer(copy, new Catalogue(copy));
  const queries: Query[] = [];
  const refused: Skipped[] = [];
  const until = Date.now() + copy.leftMs() * PREPARE_SHARE;
  const { tried, represented } = await compressed(statements);
  const attempt = async ({ statement }: Understood, work: () => Promise<void>) => {
    try {
      if (Date.now() > until) throw new Error("there was no time left to look at it");
      await work();
    } catch (error) {
      if (error instanceof AdvisorError) throw error;
      const why = isRefusal(error) ? `the copy refused it: ${error.message}` : messageOf(error);
      refused.push({ statement, why });
    }
  };
  for (const one of tried) {
    await attempt(one, async () => void queries.push(...(await preparer.prepared(one))));
  }
  for (const one of represented) await attempt(one, () => preparer.checked(one));
  return { queries, refused };
}

/**
 * The most frequent ones of each template, which count for the others, too. DTA compresses workloads alike:
 * what differs in constants only wants the same indexes.
 */
async function compressed(
  statements: readonly Understood[],
): Promise<{ tried: Understood[]; represented: Understood[] }> {
  const templates = new Map<string, Understood[]>();
  for (const one of [...statements].sort((a, b) => b.calls - a.calls)) {
    const template = await templateOf(one.sql);
    templates.set(template, [...(templates.get(template) ?? []), one]);
  }
  const tried: Understood[] = [];
  const represented: Understood[] = [];
  for (const all of templates.values()) {
    const chosen = all.slice(0, REPRESENTATIVES);
    const others = all.slice(REPRESENTATIVES);
    const more = others.reduce((sum, { calls }) => sum + calls, 0) / chosen.length;
    tried.push(...chosen.map((one) => ({ ...one, calls: one.calls + more })));
    represented.push(...others);
  }
  return { tried: tried.sort((a, b) => b.calls - a.calls), represented };
}
