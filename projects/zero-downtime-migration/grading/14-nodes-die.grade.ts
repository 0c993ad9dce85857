import { blackHole } from "@db-katas/engines/faults/blackHole";
import type { Account, MigrationNode } from "../contract.ts";
import {
  atEachMessage,
  CUT_OFF,
  cutOff,
  fulfilled,
  type Place,
  settledOrBlocked,
  settles,
} from "./interleave.ts";
import {
  ARRIVAL_MS,
  check,
  expectAccount,
  expectBoth,
  goTo,
  hintOnDifferences,
  type MigrationContext,
  SLACK_MS,
  startNode,
  startTwoNodes,
  untilSettled,
} from "./kit.ts";
import { seedLegacy, someAccount } from "./rows.ts";

/** What nodes are told a call may take: whoever is cut off must not hold a lock for longer, either. */
const BUDGET_MS = 2_000;
/** Messages to modern of somebody who cuts over, at each of which he is cut off once. */
const MOST_MESSAGES = 6;
/** At this one its line falls silent, and what it has locked stays so until the store gives up on it. */
const SILENT = 2;
/** How long an operator may wait for a write that is late, where no store says so, in milliseconds. */
const LATE_MS = 1_000;

export default check({
  title: "a node that dies in a write or in the cut-over leaves nothing half done",
  points: 4,
  concept: "cut-over",
  traps: [
    "noted-after-the-write",
    "nobody-finishes",
    "retries-whatever-happened",
    "retries-where-keys-are-unique",
    "one-try-is-a-whole-budget",
    "late-in-another-turn",
  ],
  engines: { legacy: CUT_OFF, modern: CUT_OFF },
  nodes: ["a", "b", "c"],
  dependsOn: ["carried-over"],
  timeoutMs: 60_000,
  hints: [
    "Cut the line between any two messages of a write. What is in legacy then, and who knows that modern has to get it?",
    hintOnDifferences,
    "At the cut-over one store is closed first. Whoever finds none open must be able to tell which one is to be opened: a number that grows with each turn tells.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, 160);
    const ids = [...expected.keys()];
    const next = () => ids.pop() ?? "";
    const [a, b] = await startTwoNodes(t, BUDGET_MS);
    await goTo(a, "legacy", "canary-50");
    await expectBoth(t, a, expected, "both stores hold the same accounts");

    const what = "what legacy has, modern gets, whoever died on the way";
    const request = { store: "legacy", direction: "request", node: "a", lost: true } as const;
    await writeAndLose(t, [a, b], request, { next, expected });
    await expectBoth(t, b, expected, what);
    {
      // So that nobody else carries what a is about to.
      await using _alone = await t.inject("modern", blackHole, { nodes: ["b"] });
      const place = { ...request, store: "modern", afterwards: true } as const;
      await writeAndLose(t, [a, b], place, { next, expected, settled: () => untilSettled(t, a) });
    }
    await expectBoth(t, b, expected, what);
    const c = await startNode(t, "c", BUDGET_MS);
    const reply = { ...request, direction: "reply" } as const;
    await Promise.all([
      writeAndLose(t, [a, b], reply, { kind: "create", next, expected }),
      writeAndLose(t, [c, b], { ...reply, node: "c" }, { kind: "remove", next, expected }),
    ]);
    await expectBoth(t, b, expected, what);

    t.step("a writes without modern, and is gone before modern is back for it");
    {
      await using _modern = await t.inject("modern", blackHole, { nodes: ["a"] });
      const changed = someAccount(t, next());
      await a.update(changed.id, changed);
      expected.set(changed.id, changed);
      await using _legacy = await t.inject("legacy", blackHole, { nodes: ["a"] });
      await expectBoth(t, b, expected, "another node carries it over");
    }

    await goTo(b, "canary-50", "canary-100");
    // Of a write that was refused nobody knows whether it will have its effect, nor when.
    let unknown: string | undefined;
    {
      t.step("a write of a is late; c has no part in the cut-over, and no line to legacy");
      const id = next();
      const older = someAccount(t, id);
      using gate = t.hold("legacy", { node: "a", match: older.email });
      const late = Promise.allSettled([a.update(id, older)]);
      await Promise.race([gate.held, late]);
      const silence = await t.inject("legacy", blackHole, { nodes: ["c"] });
      const over = Promise.allSettled([b.setPhase("modern")]);
      await settledOrBlocked(t, over, LATE_MS);
      // Who waits for a's write has nothing to fear of it.
      if (!(await settles(over))) gate.release();
      await over;
      await soon(t, () => b.setPhase("modern"), "a late write is not the end of a cut-over");
      await everyCall(t, c, next, expected);
      await silence.heal();
      t.step("c writes, and a reply of modern is lost with its line");
      const place = { store: "modern", node: "c", direction: "reply", lost: true } as const;
      await writeAndLose(t, [c, b], place, { kind: "create", next, expected });
      const [said] = await late;
      await mayBeUnknown(t, said);
      const newer = someAccount(t, id);
      await b.update(id, newer);
      await b.setPhase("canary-100");
      t.step("the phase has come back, and a's message arrives");
      gate.release();
      expected.set(id, newer);
      if (said.status === "rejected") unknown = id;
    }
    // In turns: who is cut off takes its time to give up, and may go on with it if it hasn't.
    const victims = [
      { name: "a", node: a, back: Promise.resolve() },
      { name: "c", node: c, back: Promise.resolve() },
    ];
    for (let nth = 1, reached = true; reached && nth <= MOST_MESSAGES; nth++) {
      const [victim] = victims.reverse();
      if (!victim) break;
      await victim.back;
      await untilSettled(t, b);
      const { name } = victim;
      t.step(`${name} cuts over, and is cut off at its message ${nth} to modern`);
      const gate = t.hold("modern", { node: name, match: /./, nth });
      const over = Promise.allSettled([victim.node.setPhase("modern")]);
      reached = await Promise.race([gate.held.then(() => true), over.then(() => false)]);
      const heal = await cutOff(t, name, gate, { silently: nth === SILENT });
      victim.back = over.then(heal);
      const id = next();
      const changed = someAccount(t, id);
      await soon(t, () => b.update(id, changed), "clients of another node go on soon");
      expected.set(id, changed);
      await soon(t, () => b.setPhase("modern"), "another node takes it up");
      await expectAccount(t, [b], id, changed, "what was acknowledged is read");
      await soon(t, () => b.setPhase("canary-100"), "and back");
    }
    for (const { back } of victims) await back;
    const { account = null } = unknown === undefined ? {} : await b.get(unknown);
    if (account) expected.set(account.id, account);
    await expectBoth(t, b, expected, "both stores hold all that was acknowledged");
  },
});

/** Again and again, until it is done. */
function soon(t: MigrationContext, call: () => Promise<void>, what: string): Promise<void> {
  return t.eventually(ARRIVAL_MS, call, () => true, what, "the call resolves");
}

/** The one code that promises nothing. */
async function mayBeUnknown(t: MigrationContext, call: PromiseSettledResult<void>): Promise<void> {
  if (call.status === "fulfilled") return;
  const what = "what is not known is not said to be certain";
  await t.rejects(Promise.reject(call.reason), "STORE_UNAVAILABLE", what);
}

const kinds = ["update", "remove", "create"] as const;

interface Writes {
  /** Default: one after the other. */
  readonly kind?: (typeof kinds)[number] | undefined;
  /** An id that nobody has written yet. */
  readonly next: () => string;
  readonly expected: Map<string, Account>;
  /** Before another write is made. */
  readonly settled?: () => Promise<void> | undefined;
}

/** Writes of one node that lose a message, with its connection; another node tells what came of them. */
async function writeAndLose(
  t: MigrationContext,
  [writer, judge]: readonly [writer: MigrationNode, judge: MigrationNode],
  place: Place,
  { kind: only, next, expected, settled }: Writes,
): Promise<void> {
  await atEachMessage(t, place, async (interleave, nth) => {
    const id = next();
    const changed = someAccount(t, id);
    const fresh = someAccount(t);
    const kind = only ?? kinds[nth % 3];
    // So that no greeting of a new connection is counted.
    await writer.get(id);
    t.step(`a node writes, and a ${place.direction} of ${place.store} is lost with its line`);
    const calls = {
      create: () => writer.create(fresh),
      remove: () => writer.remove(id),
      update: () => writer.update(id, changed),
    };
    const [write] = await interleave(calls[kind ?? "update"], async () => {});
    await mayBeUnknown(t, write);
    const written = kind === "create" ? fresh : changed;
    const { account } = await judge.get(written.id);
    if (write.status === "fulfilled") {
      const wanted = kind === "remove" ? null : written;
      t.equal(account, wanted, "what was acknowledged is read");
    }
    if (account) expected.set(written.id, account);
    else expected.delete(written.id);
    await settled?.();
  });
}

/** Of a node that has not heard that legacy's word is over, and gets no answer from there. */
async function everyCall(
  t: MigrationContext,
  node: MigrationNode,
  next: () => string,
  expected: Map<string, Account>,
): Promise<void> {
  const [known, gone] = [next(), next()];
  const changed = someAccount(t, next());
  const fresh = someAccount(t);
  const calls = [
    async () =>
      t.equal((await node.get(known)).account, expected.get(known), "what is read is right"),
    () => node.update(changed.id, changed),
    () => node.create(fresh),
    () => node.remove(gone),
  ];
  const what = "a call answers within its budget, though the store that used to lead is silent";
  const made = await Promise.all(
    calls.map((call) => t.within<unknown>(BUDGET_MS + SLACK_MS, call, what)),
  );
  for (const { outcome } of made) fulfilled(outcome);
  expected.delete(gone);
  expected.set(changed.id, changed).set(fresh.id, fresh);
}
