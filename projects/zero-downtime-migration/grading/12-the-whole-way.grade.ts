import { checkRegister, History, type RegisterOp } from "@db-katas/grading";
import type { MigrationNode, Phase } from "../contract.ts";
import { fulfilled } from "./interleave.ts";
import {
  check,
  copyAll,
  EASY_BUDGET_MS,
  expectBoth,
  type MigrationContext,
  SLACK_MS,
  startTwoNodes,
} from "./kit.ts";
import { seedLegacy } from "./rows.ts";

const CLIENTS_PER_NODE = 2;
/** Calls of one client in each phase. */
const CALLS = 6;
/** Forward, half of the way back, forward again, and out. */
const WAY: readonly Phase[] = [
  "copying",
  "shadow",
  "canary-5",
  "canary-25",
  "canary-50",
  "canary-100",
  "modern",
  "canary-25",
  "canary-50",
  "canary-100",
  "modern",
  "legacy",
  "copying",
];
/** The turn of the way after which the next version is deployed: modern's first one. */
const DEPLOYED = 6;

export default check({
  title: "on the whole way there and back, clients notice nothing",
  points: 5,
  concept: "cut-over",
  traps: ["migrates-afresh"],
  engines: { legacy: {}, modern: {} },
  nodes: ["a", "b"],
  dependsOn: ["carried-over"],
  timeoutMs: 60_000,
  hints: [
    "The check shows the calls that contradict each other. Which phases were they in, and on which nodes?",
    "A node that still goes by the last phase must not write where nobody reads any more, nor read where nobody writes.",
    async (t) => {
      const held = await Promise.all(
        (["legacy", "modern"] as const).map((store) => t.lease(store).transcript("b").at(-1)),
      );
      return (
        held[0] &&
        held[1] &&
        `The last that b said to legacy: ${JSON.stringify(held[0])}; to modern: ${JSON.stringify(held[1])}.`
      );
    },
  ],
  async run(t) {
    const expected = await seedLegacy(t, 30);
    const [a, b] = await startTwoNodes(t);
    const keys = [...expected.keys()].slice(0, 4);
    const history = new History<RegisterOp>();
    for (const id of keys) await history.record("start", "read", id, () => balance(a, id));
    // The seeds of a history are its first writes, as far as a checker is concerned.
    const initial = new Map(keys.map((id) => [id, expected.get(id)?.balanceCents]));
    for (const [turn, phase] of WAY.entries()) {
      t.step(`clients at work; the operator goes on to ${phase}`);
      const load = Promise.all(
        [a, b].flatMap((node, at) =>
          Array.from({ length: CLIENTS_PER_NODE }, (_, client) =>
            oneClient(t, history, `${"ab"[at]}${client}`, node, keys),
          ),
        ),
      );
      load.catch(() => {});
      const operator = t.random.pick([a, b]);
      await operator.setPhase(phase);
      if (phase === "copying") await copyAll([a, b], 20);
      await load;
      if (turn !== DEPLOYED) continue;
      t.step("the next deployment calls migrate again");
      await Promise.all(
        (["legacy", "modern"] as const).map(async (name) =>
          t.migrate({ name, url: await t.lease(name).urlFor("migrate") }),
        ),
      );
      t.equal((await a.status()).phase, phase, "a migration leaves the phase as it is");
    }
    for (const id of keys) {
      const operations = history.operations.filter(({ value }) => value === id);
      const verdict = checkRegister(operations, { initial: initial.get(id) });
      t.historyHolds(verdict, "every read sees the last write, whoever made it in whichever phase");
      const { account } = await a.get(id);
      if (account) expected.set(id, account);
    }
    const what = "close() ends within the budget";
    fulfilled((await t.within(EASY_BUDGET_MS + SLACK_MS, () => b.close(), what)).outcome);
    for (const store of ["legacy", "modern"] as const) {
      await t.eventually(
        SLACK_MS,
        async () => t.lease(store).traffic("b").open,
        (open) => open === 0,
        "a node that is closed has let go of every connection",
        "none open",
      );
    }
    await expectBoth(t, a, expected, "in the end both stores hold the same accounts");
  },
});

/** In time, and without an error. */
async function call<T>(t: MigrationContext, run: () => Promise<T>): Promise<T> {
  const what = "no call takes longer than its budget, not while the phase changes either";
  return fulfilled((await t.within(EASY_BUDGET_MS + SLACK_MS, run, what)).outcome);
}

async function balance(node: MigrationNode, id: string): Promise<number | undefined> {
  return (await node.get(id)).account?.balanceCents;
}

/** Writes amounts that nobody wrote before, and reads. No call may fail. */
async function oneClient(
  t: MigrationContext,
  history: History<RegisterOp>,
  name: string,
  node: MigrationNode,
  keys: readonly string[],
): Promise<void> {
  for (let i = 0; i < CALLS; i++) {
    const id = t.random.pick(keys);
    // Nobody wrote that before: each operation of a history has an index of its own.
    const balanceCents = 1_000_000 + history.operations.length;
    if (t.random.int(0, 1) === 0) {
      await history.record(
        name,
        "write",
        id,
        () => call(t, () => node.update(id, { balanceCents })),
        balanceCents,
      );
    } else {
      await history.record(name, "read", id, () => call(t, () => balance(node, id)));
    }
  }
}
