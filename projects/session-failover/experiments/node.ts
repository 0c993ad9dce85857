/** A node on an experiment's servers, and sessions for it. */
import type { Lease } from "@db-katas/engines";
import { dataOf } from "../bench/contenders.ts";
import reference from "../src/index.ts";
import { type Node, openNode } from "../src/open.ts";

const NAME = "a";
export const STALENESS_MS = 800;
/** As many create sessions at the same moment. */
const CREATORS = 16;

/** @param requestBudgetMs default: so long that a busy machine makes it slow, and doesn't fail it */
export async function openNodeOn(
  leases: Readonly<Record<string, Lease>>,
  requestBudgetMs = 10_000,
): Promise<Node> {
  const { postgres, redis } = leases;
  if (!postgres || !redis) throw new Error("The experiment names postgres and redis.");
  await reference.migrate({ kind: "polyglot", postgres: await postgres.urlFor("migrations") });
  return openNode({
    name: NAME,
    stores: {
      kind: "polyglot",
      postgres: await postgres.urlFor(NAME),
      redis: await redis.urlFor(NAME),
    },
    requestBudgetMs,
    stalenessBoundMs: STALENESS_MS,
  });
}

/** @returns the sessions' ids */
export async function fillSessions(node: Node, sessions: number): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < sessions; from += CREATORS) {
    const batch = Array.from({ length: Math.min(CREATORS, sessions - from) }, (_, n) => from + n);
    const made = await Promise.all(
      batch.map((n) =>
        node.create({ userId: `user-${n}`, device: "", data: dataOf(n), ttlMs: 3_600_000 }),
      ),
    );
    ids.push(...made.map(({ id }) => id));
  }
  return ids;
}

/** Waits until the node has Redis again, at most `limitMs`. @returns how long that took */
export async function untilUp(node: Node, limitMs = 10_000): Promise<number> {
  const from = performance.now();
  while (node.status().redis !== "up") {
    if (performance.now() - from > limitMs) throw new Error(`No Redis after ${limitMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return performance.now() - from;
}
