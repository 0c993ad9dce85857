/** Compares the stores row by row, without being misled by what is on its way. */
import type { Comparison } from "../contract.ts";
import { isSame } from "./account.ts";
import type { Entry, Store } from "./store.ts";

const BATCH = 500;

export type Difference = "missing" | "surplus" | "differing";

/**
 * What is wrong with an entry of the store that follows, when the one that leads was read first: there,
 * whatever is marked as carried has arrived by then.
 */
export function differenceOf(
  lead: Entry | undefined,
  follower: Entry | undefined,
): Difference | undefined {
  const { version = 0, carried = 0 } = lead ?? {};
  const isOnItsWay = carried < version;
  const isNewer = (follower?.version ?? 0) > version;
  if (isOnItsWay || isNewer) return undefined;
  const [wanted, found] = [lead?.account ?? null, follower?.account ?? null];
  if (isSame(wanted, found)) return undefined;
  if (!found) return "missing";
  return wanted ? "differing" : "surplus";
}

export interface Differences extends Comparison {
  /** What the store that follows has in those places. */
  readonly wrong: readonly Pick<Entry, "id" | "version">[];
}

/** One range of ids after the other: neither store is ever read as a whole. */
export async function compare(lead: Store, follower: Store): Promise<Differences> {
  const found: Record<Difference, string[]> = { missing: [], surplus: [], differing: [] };
  const wrong: Pick<Entry, "id" | "version">[] = [];
  let compared = 0;
  for (let after = "", isLast = false; !isLast; ) {
    const leading = await lead.range(after, { limit: BATCH });
    isLast = leading.length < BATCH;
    const upTo = isLast ? {} : { upTo: leading.at(-1)?.id ?? after };
    const following = new Map((await follower.range(after, upTo)).map((each) => [each.id, each]));
    const leads = new Map(leading.map((each) => [each.id, each]));
    for (const id of new Set([...leads.keys(), ...following.keys()])) {
      const difference = differenceOf(leads.get(id), following.get(id));
      compared += 1;
      if (!difference) continue;
      found[difference].push(id);
      wrong.push({ id, version: following.get(id)?.version ?? 0 });
    }
    after = upTo.upTo ?? after;
  }
  return { compared, ...found, wrong };
}
