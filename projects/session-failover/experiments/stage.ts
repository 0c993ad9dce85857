/** One node as an application opens it, on servers that can be broken. */
import { type EngineRun, type Lease, openEngines } from "@db-katas/engines";
import reference from "../src/index.ts";
import { type Node, openNode } from "../src/open.ts";

export const STALENESS_MS = 800;
const NODE = "a";

export interface Stage extends AsyncDisposable {
  readonly node: Node;
  readonly redis: Lease;
  readonly postgres: Lease;
  /** Sessions that Redis holds. */
  readonly ids: readonly string[];
}

export interface Finding {
  readonly claim: string;
  readonly holds: boolean;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export type Experiment = (stage: Stage) => Promise<Finding>;

export async function openStage(sessions = 64): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const run: EngineRun = opening.use(await openEngines({ onProgress: console.log }));
  const [postgres, redis] = await Promise.all([
    run.lease("postgres"),
    run.lease("redis", { isolation: "instance" }),
  ]);
  await reference.migrate({ kind: "polyglot", postgres: await postgres.urlFor("migrations") });
  const node = await openNode({
    name: NODE,
    stores: {
      kind: "polyglot",
      postgres: await postgres.urlFor(NODE),
      redis: await redis.urlFor(NODE),
    },
    requestBudgetMs: 500,
    stalenessBoundMs: STALENESS_MS,
  });
  opening.defer(() => node.close());
  const ids: string[] = [];
  for (let n = 0; n < sessions; n++) {
    const data = { n };
    const { id } = await node.create({ userId: `user-${n}`, device: "", data, ttlMs: 3_600_000 });
    ids.push(id);
  }
  const ending = opening.move();
  return { node, redis, postgres, ids, [Symbol.asyncDispose]: () => ending.disposeAsync() };
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

export function ms(value: number | undefined): string {
  return (value ?? Number.NaN).toFixed(1);
}
