import { type CheckContext, CheckFailure, checksFor } from "@db-katas/grading";
import type { Account, MigrationNode, Phase, StoreName, Submission } from "../contract.ts";
import { type Accounts, accountsIn, createTable, differences } from "./rows.ts";

/** What nodes are told they may take for one call, in checks that measure it, in milliseconds. */
export const BUDGET_MS = 1_500;
/** What nodes are told elsewhere, in milliseconds: a busy machine must cost nobody a point. */
export const EASY_BUDGET_MS = 4_000;
/** Room for the grader itself and for a machine under load, in milliseconds. */
export const SLACK_MS = 1_000;
/** What a node may take to open, in milliseconds. */
export const START_MS = 3_000;
/** The "seconds" in which a write is carried on to the other store, in milliseconds. */
export const ARRIVAL_MS = 8_000;
/** Who is wrong about what is pending fails a check for that, and not each of the others, in milliseconds. */
const SETTLED_MS = 2_000;
/** Calls of backfill() after which a copy of so few rows is taken for one that never ends. */
const MOST_STEPS = 400;

export const phases: readonly Phase[] = [
  "legacy",
  "copying",
  "shadow",
  "canary-5",
  "canary-25",
  "canary-50",
  "canary-100",
  "modern",
];

export type MigrationContext = CheckContext<Submission>;

const prepared = (name: StoreName) => ({
  build: async (submission: { migrate: Submission["migrate"] }, url: string) => {
    await createTable(name, url);
    await submission.migrate({ name, url });
  },
});

/** Checks of this exercise start from two servers with their tables, prepared by `migrate`. */
export const check = checksFor<Submission>({
  legacy: prepared("legacy"),
  modern: prepared("modern"),
});

export async function startNode(
  t: MigrationContext,
  name: string,
  requestBudgetMs = EASY_BUDGET_MS,
): Promise<MigrationNode> {
  const [legacy, modern] = await Promise.all([
    t.lease("legacy").urlFor(name),
    t.lease("modern").urlFor(name),
  ]);
  return t.start(name, { name, legacy, modern, requestBudgetMs });
}

/** Nodes `a` and `b`: two processes that share nothing but the two stores. */
export function startTwoNodes(
  t: MigrationContext,
  requestBudgetMs?: number,
): Promise<[a: MigrationNode, b: MigrationNode]> {
  return Promise.all([startNode(t, "a", requestBudgetMs), startNode(t, "b", requestBudgetMs)]);
}

/** One phase after the other, as an operator goes; rows are copied on the way out of `copying`. */
export async function goTo(node: MigrationNode, from: Phase, to: Phase): Promise<void> {
  for (const phase of phases.slice(phases.indexOf(from) + 1, phases.indexOf(to) + 1)) {
    await node.setPhase(phase);
    if (phase === "copying" && to !== "copying") await copyAll([node], 500);
  }
}

/** @returns how many calls it took, with the nodes in turn */
export async function copyAll(nodes: readonly MigrationNode[], limit: number): Promise<number> {
  for (let step = 1; step <= MOST_STEPS; step++) {
    const node = nodes[step % nodes.length];
    if ((await node?.backfill(limit))?.done) return step;
  }
  throw new CheckFailure("backfill() comes to an end", {
    expected: "{ done: true } once all rows are copied",
    received: `{ done: false } ${MOST_STEPS} times`,
  });
}

/** Soon nothing is on its way any more, and then both stores hold these accounts and no others. */
export async function expectBoth(
  t: MigrationContext,
  node: MigrationNode,
  expected: Accounts,
  what: string,
): Promise<void> {
  await untilSettled(t, node);
  for (const store of ["legacy", "modern"] as const) {
    await expectStore(t, store, expected, what, SETTLED_MS);
  }
}

/** A store holds these accounts and no others, soon. */
export async function expectStore(
  t: MigrationContext,
  store: StoreName,
  expected: Accounts,
  what: string,
  limitMs = ARRIVAL_MS,
): Promise<void> {
  await t.eventually(
    limitMs,
    async () => differences(await accountsIn(t, store), expected).slice(0, 5),
    (wrong) => wrong.length === 0,
    `${what} (${store})`,
    "no difference",
  );
}

export async function untilSettled(t: MigrationContext, node: MigrationNode): Promise<void> {
  await t.eventually(
    ARRIVAL_MS,
    async () => (await node.status()).pending,
    (pending) => pending === 0,
    "what is pending arrives in the other store",
    "status().pending 0",
  );
}

/** What every node answers at once, whatever store it asks. */
export async function expectAccount(
  t: MigrationContext,
  nodes: readonly MigrationNode[],
  id: string,
  wanted: Account | null,
  what: string,
): Promise<void> {
  for (const node of nodes) t.equal((await node.get(id)).account, wanted, what);
}

/** A hint from the stores themselves: what of legacy is otherwise in modern at this moment. */
export async function hintOnDifferences(t: MigrationContext): Promise<string | undefined> {
  const [legacy, modern] = await Promise.all([accountsIn(t, "legacy"), accountsIn(t, "modern")]);
  const wrong = differences(modern, legacy);
  if (wrong.length === 0) return undefined;
  return `${wrong.length} of ${legacy.size} rows are otherwise in modern than in legacy. The first: ${wrong[0]}.`;
}
