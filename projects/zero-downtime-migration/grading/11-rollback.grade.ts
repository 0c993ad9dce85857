import { blackHole } from "@db-katas/engines/faults/blackHole";
import type { Phase } from "../contract.ts";
import { atEachMessage, fulfilled } from "./interleave.ts";
import {
  check,
  expectAccount,
  expectBoth,
  goTo,
  hintOnDifferences,
  startTwoNodes,
  untilSettled,
} from "./kit.ts";
import { seedLegacy, someAccount } from "./rows.ts";

export default check({
  title:
    "a rollback at any point keeps all that was written meanwhile, and the next attempt all of that",
  points: 6,
  concept: "rollback",
  traps: ["transformed-once", "rollback-forgets", "nothing-noted-in-legacy"],
  engines: { legacy: { faults: [blackHole] }, modern: {} },
  nodes: ["a", "b"],
  dependsOn: ["carried-over"],
  timeoutMs: 60_000,
  hints: [
    "A way back is only one if legacy has what was written since the cut-over. Who brings it there, in which of the two forms, and since when?",
    hintOnDifferences,
    "Carry writes from modern to legacy as you did the other way round. The rollback waits for writers, carries the rest, and closes modern before legacy is opened again.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, 60);
    const ids = [...expected.keys()];
    const [a, b] = await startTwoNodes(t);
    await goTo(a, "legacy", "canary-25");

    t.step("back before the cut-over; what is written in the phase legacy is not forgotten");
    const change = async (id: string, node = b) => {
      const changed = someAccount(t, id);
      await node.update(id, changed);
      expected.set(id, changed);
    };
    await b.setPhase("legacy");
    await change(ids[0] ?? "");
    await a.remove(ids[1] ?? "");
    expected.delete(ids[1] ?? "");
    await goTo(b, "legacy", "canary-100");
    await expectBoth(t, a, expected, "the next attempt has it");

    for (const back of t.random.shuffle<Phase>(["canary-25", "legacy"])) {
      t.step(`cut over, write, and back to ${back}`);
      await a.setPhase("modern");
      const fresh = someAccount(t);
      await b.create({ ...fresh, email: fresh.email.toUpperCase() });
      expected.set(fresh.id, fresh);
      await expectAccount(t, [b, a], fresh.id, fresh, "what is written to modern is clean, too");
      await change(t.random.pick([...expected.keys()]), a);
      const [gone = ""] = t.random.shuffle([...expected.keys()].filter((id) => id !== fresh.id));
      await b.remove(gone);
      expected.delete(gone);
      await a.setPhase(back);
      await expectAccount(t, [b, a], fresh.id, fresh, "what was created in modern is there");
      await expectAccount(t, [a, b], gone, null, "what was removed in modern is gone");
      if (back === "legacy") {
        t.equal((await b.get(fresh.id)).servedFrom, "legacy", "legacy answers again");
      }
      await change(fresh.id);
      await goTo(a, back, "canary-100");
      await untilSettled(t, a);
      await expectBoth(t, b, expected, "both stores hold all of it");
    }

    await atEachMessage(t, { store: "modern", node: "b" }, async (interleave, nth) => {
      await a.setPhase("modern");
      // So that b has heard of it: what it writes goes to modern.
      const known = [...expected.keys()][nth] ?? "";
      await b.get(known);
      const written = someAccount(t, nth % 2 === 0 ? undefined : known);
      t.step("b writes and is stopped on its way to modern; a goes back");
      const [write, pass] = await interleave(
        () => (nth % 2 === 0 ? b.create(written) : b.update(known, written)),
        () => a.setPhase("canary-100"),
      );
      fulfilled(write);
      fulfilled(pass);
      expected.set(written.id, written);
      await expectAccount(
        t,
        [a, b],
        written.id,
        written,
        "what was acknowledged is read after the rollback",
      );
    });
    await expectBoth(t, a, expected, "all of that stands in both stores");

    t.step("back while legacy is away: refused, and clients go on");
    await a.setPhase("modern");
    const hole = await t.inject("legacy", blackHole);
    const fresh = someAccount(t);
    await a.create(fresh);
    expected.set(fresh.id, fresh);
    await t.rejects(a.setPhase("shadow"), "NOT_READY", "without legacy there is no way back yet");
    await expectAccount(t, [a, b], fresh.id, fresh, "modern goes on");
    await hole.heal();
    await t.eventually(
      8_000,
      () => b.setPhase("shadow"),
      () => true,
      "once legacy is back, so is the way back",
      "setPhase() resolves",
    );
    await expectAccount(t, [a, b], fresh.id, fresh, "with what was written without legacy");
    await expectBoth(t, b, expected, "both stores hold all of it");
  },
});
