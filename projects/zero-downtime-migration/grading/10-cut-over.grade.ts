import { blackHole } from "@db-katas/engines/faults/blackHole";
import { kill } from "@db-katas/engines/faults/kill";
import { atEachMessage, behindRowLock, fulfilled } from "./interleave.ts";
import {
  check,
  EASY_BUDGET_MS,
  expectAccount,
  expectBoth,
  expectStore,
  goTo,
  hintOnDifferences,
  SLACK_MS,
  START_MS,
  startNode,
  startTwoNodes,
  untilSettled,
} from "./kit.ts";
import { seedLegacy, someAccount } from "./rows.ts";

export default check({
  title: "at the cut-over no write is lost or refused, and from then on legacy may die",
  points: 6,
  concept: "cut-over",
  traps: [
    "cut-over-without-a-fence",
    "not-ready-is-no-reason",
    "refused-and-phase-lost",
    "fence-while-modern-hangs",
  ],
  engines: { legacy: { faults: [kill] }, modern: { faults: [blackHole] } },
  nodes: ["a", "b", "c"],
  dependsOn: ["carried-over"],
  timeoutMs: 60_000,
  hints: [
    "b has decided to write to legacy, and hasn't yet. a cuts over. Where does b's write end up, and who reads it there?",
    hintOnDifferences,
    "Let each write hold a shared lock in its transaction, and ask there whether this store still has the last word. Who cuts over takes the lock alone, carries the rest, and closes the store before the other one is opened.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, 90);
    const [a, b] = await startTwoNodes(t);
    t.step("cut over before all rows are copied: refused");
    await a.setPhase("copying");
    await a.backfill(10);
    for (const phase of ["shadow", "canary-5", "canary-25", "canary-50", "canary-100"] as const) {
      await a.setPhase(phase);
    }
    const others = [...expected.keys()];
    // Who has brought all rows over without being asked may cut over: then they must be there.
    const [outcome] = await Promise.allSettled([a.setPhase("modern")]);
    if (outcome.status === "rejected") {
      const refused = Promise.reject(outcome.reason);
      await t.rejects(refused, "NOT_READY", "without a whole copy there is no cut-over");
      for (const node of [a, b]) {
        t.equal((await node.status()).phase, "canary-100", "the phase is what it was");
      }
    }
    const ids = [...expected.keys()];
    for (const node of [a, b]) {
      const reads = await node.getMany(ids);
      const all = new Map(reads.map(({ account }, at) => [ids[at] ?? "", account]));
      t.equal<typeof all>(all, new Map(expected), "and all accounts are there");
    }
    await a.setPhase("legacy");
    await goTo(b, "legacy", "canary-100");
    await expectBoth(t, a, expected, "both stores hold the same accounts");

    t.step("cut over while modern is away: refused, and clients go on");
    const hole = await t.inject("modern", blackHole);
    const account = someAccount(t);
    let refused = false;
    const cutOver = a.setPhase("modern").finally(() => {
      refused = true;
    });
    const during = async () => {
      await b.create(account);
      // For as long as it is tried: nobody is kept from writing all the time.
      while (!refused) await b.update(account.id, { balanceCents: account.balanceCents });
    };
    const what = "without modern there is no cut-over";
    await Promise.all([t.rejects(cutOver, "NOT_READY", what), during()]);
    t.equal((await b.status()).phase, "canary-100", "the phase is what it was");
    expected.set(account.id, account);
    await expectAccount(t, [a, b], account.id, account, "what was written meanwhile is read");
    await hole.heal();
    await expectBoth(t, b, expected, "and it arrives");

    await atEachMessage(t, { store: "legacy", node: "b" }, async (interleave, nth) => {
      const id = others.pop() ?? account.id;
      const changed = someAccount(t, id);
      const fresh = someAccount(t);
      t.step("b writes and is stopped on its way to legacy; a cuts over");
      const kind = (["update", "create", "remove"] as const)[nth % 3];
      const [write, pass] = await interleave(
        () =>
          kind === "create"
            ? b.create(fresh)
            : kind === "remove"
              ? b.remove(id)
              : b.update(id, changed),
        () => a.setPhase("modern"),
      );
      fulfilled(write);
      fulfilled(pass);
      const written = kind === "create" ? fresh : changed;
      if (kind === "remove") expected.delete(id);
      else expected.set(written.id, written);
      const now = kind === "remove" ? null : written;
      const what = "what was acknowledged is read after the cut-over";
      await expectAccount(t, [a, b], written.id, now, what);
      t.equal(
        (await b.get(id)).servedFrom,
        "modern",
        "after the cut-over, modern answers on every node",
      );
      await a.setPhase("canary-100");
      await untilSettled(t, a);
    });
    for (const id of others.slice(-2)) {
      t.step("b's write waits in legacy for a row, and a cuts over meanwhile");
      const changed = someAccount(t, id);
      const calls = await behindRowLock(
        t,
        "legacy",
        id,
        () => b.update(id, changed),
        () => a.setPhase("modern"),
      );
      for (const call of calls) fulfilled(call);
      expected.set(id, changed);
      const what = "what was acknowledged is read after the cut-over";
      await expectAccount(t, [a, b], id, changed, what);
      await a.setPhase("canary-100");
    }
    await expectBoth(t, a, expected, "all of that stands in both stores");

    t.step("cut over for good; legacy is killed");
    await b.setPhase("modern");
    const death = await t.inject("legacy", kill);
    const opens = "a node opens without legacy";
    const { outcome: started } = await t.within(
      START_MS + SLACK_MS,
      () => startNode(t, "c", EASY_BUDGET_MS),
      opens,
    );
    const c = fulfilled(started);
    for (const node of [a, b, c]) {
      const fresh = someAccount(t);
      const changed = { ...fresh, balanceCents: 1 };
      for (const call of [
        () => node.create(fresh),
        () => node.update(fresh.id, { balanceCents: 1 }),
        async () =>
          t.equal((await node.get(fresh.id)).account, changed, "what was written is read"),
      ]) {
        const text = "a client's call answers within its budget without legacy";
        fulfilled((await t.within(EASY_BUDGET_MS + SLACK_MS, call, text)).outcome);
      }
      expected.set(fresh.id, changed);
      await expectAccount(t, [a, b, c], fresh.id, changed, "and by all nodes");
    }
    await expectStore(t, "modern", expected, "modern holds all accounts");
    await death.heal();
    await expectBoth(t, c, expected, "legacy gets what it missed");
  },
});
