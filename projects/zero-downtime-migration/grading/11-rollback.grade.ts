import { blackHole } from "@db-katas/engines/faults/blackHole";
import { kill } from "@db-katas/engines/faults/kill";
import type { Phase } from "../contract.ts";
import { atEachMessage, behindRowLock, fulfilled } from "./interleave.ts";
import {
  check,
  expectAccount,
  expectBoth,
  goTo,
  hintOnDifferences,
  startTwoNodes,
  untilSettled,
} from "./kit.ts";
import { seedLegacy, someAccount, sql } from "./rows.ts";

export default check({
  title:
    "a rollback at any point keeps all that was written meanwhile, and the next attempt all of that",
  points: 6,
  concept: "rollback",
  traps: [
    "no-way-back-to-copying",
    "transformed-once",
    "rollback-forgets",
    "nothing-noted-in-legacy",
  ],
  engines: { legacy: { faults: [blackHole, kill] }, modern: {} },
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
    for (const back of t.random.shuffle<Phase>(["copying", "shadow", "canary-5"])) {
      await b.setPhase(back);
      t.equal((await a.status()).phase, back, "back to any earlier phase");
      await goTo(a, back, "canary-25");
    }
    await b.setPhase("legacy");
    await change(ids[0] ?? "");
    await a.remove(ids[1] ?? "");
    expected.delete(ids[1] ?? "");
    await goTo(b, "legacy", "canary-100");
    await expectBoth(t, a, expected, "the next attempt has it");

    for (const back of t.random.shuffle<Phase>(["copying", "legacy"])) {
      t.step(`cut over, write, and back to ${back}`);
      await a.setPhase("modern");
      const fresh = someAccount(t);
      await b.create({ ...fresh, email: fresh.email.toUpperCase() });
      expected.set(fresh.id, fresh);
      await expectAccount(t, [b, a], fresh.id, fresh, "what is written to modern is clean, too");
      const others = [...expected.keys()].filter((id) => id !== fresh.id);
      const [changed = "", gone = ""] = t.random.shuffle(others);
      await change(changed, a);
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
      const kind = (["update", "create", "remove"] as const)[nth % 3];
      const written = someAccount(t, kind === "create" ? undefined : known);
      t.step("b writes and is stopped on its way to modern; a goes back");
      const [write, pass] = await interleave(
        () =>
          kind === "create"
            ? b.create(written)
            : kind === "remove"
              ? b.remove(known)
              : b.update(known, written),
        () => a.setPhase("canary-100"),
      );
      fulfilled(write);
      fulfilled(pass);
      if (kind === "remove") expected.delete(known);
      else expected.set(written.id, written);
      const now = kind === "remove" ? null : written;
      const what = "what was acknowledged is read after the rollback";
      await expectAccount(t, [a, b], written.id, now, what);
      await untilSettled(t, a);
    });
    for (const id of [...expected.keys()].slice(-2)) {
      await a.setPhase("modern");
      await b.get(id);
      t.step("b's write waits in modern for a row, and a goes back meanwhile");
      const changed = someAccount(t, id);
      const calls = await behindRowLock(
        t,
        "modern",
        id,
        () => b.update(id, changed),
        () => a.setPhase("canary-100"),
      );
      for (const call of calls) fulfilled(call);
      expected.set(id, changed);
      const what = "what was acknowledged is read after the rollback";
      await expectAccount(t, [a, b], id, changed, what);
    }
    await expectBoth(t, a, expected, "all of that stands in both stores");

    await a.setPhase("modern");
    t.step("in the phase modern all is as in the others, with the roles exchanged");
    const [one = "", two = ""] = expected.keys();
    const known = expected.get(one) ?? someAccount(t);
    await t.rejects(b.create(known), "ALREADY_EXISTS", "an id can't be created twice");
    await t.rejects(a.remove("nobody"), "NOT_FOUND", "nobody can't be removed");
    await t.rejects(b.update("nobody", { balanceCents: 1 }), "NOT_FOUND", "nor changed");
    await expectBoth(t, a, expected, "legacy gets what is written to modern");
    await sql(t, "legacy", "UPDATE accounts SET cents = '4242' WHERE id = $1", [one]);
    await sql(t, "legacy", "DELETE FROM accounts WHERE id = $1", [two]);
    await expectAccount(t, [a, b], one, known, "modern answers, whatever legacy says");
    const found = await b.verify({ repair: true });
    const named = { missing: found.missing, surplus: found.surplus, differing: found.differing };
    t.equal(
      named,
      { missing: [two], surplus: [], differing: [one] },
      "it is legacy that is wrong now",
    );
    await expectBoth(t, a, expected, "and legacy that is repaired");

    t.step("back while legacy is away: refused, and clients go on");
    const fresh = someAccount(t);
    const hole = await t.inject("legacy", blackHole);
    await a.create(fresh);
    expected.set(fresh.id, fresh);
    await expectAccount(t, [b, a], fresh.id, fresh, "clients go on while legacy hangs");
    await hole.heal();
    const death = await t.inject("legacy", kill);
    await t.rejects(a.setPhase("shadow"), "NOT_READY", "without legacy there is no way back yet");
    t.equal((await b.status()).phase, "modern", "the phase is what it was");
    await expectAccount(t, [a, b], fresh.id, fresh, "modern goes on");
    await death.heal();
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
