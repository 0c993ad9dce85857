import type { Replica } from "../contract.ts";
import { add, allShapes, check, idsOf, meet, move, shapeIn, startReplicas } from "./kit.ts";

export default check({
  title: "what is deleted is gone, whatever is done to it meanwhile, until the deletion is undone",
  points: 2,
  concept: "deletion",
  traps: ["edit-resurrects", "one-undo-revives"],
  engines: {},
  nodes: ["ada", "bob"],
  dependsOn: ["alone"],
  hints: [
    "Somebody deletes a shape while somebody else drags it. Who decides whether it is there?",
    "Write down that it was deleted where no other edit ever writes, and leave the rest as it is: undoing the deletion then finds what was done meanwhile.",
  ],
  async run(t) {
    const [ada, bob] = (await startReplicas(t, ["ada", "bob"])) as [Replica, Replica];
    const both = [ada, bob];
    const document = t.random.word();
    await ada.edit(document, [
      add(t, "group", { type: "group" }),
      add(t, "inside", { parent: "group" }),
      add(t, "box"),
      add(t, "stays"),
      { kind: "insert", shape: "box", at: 0, text: "to" },
    ]);
    await meet(t, document, both);

    t.step("ada deletes a shape and a group while bob works on both, and with more edits than ada");
    await ada.edit(document, [
      { kind: "delete", shape: "box" },
      { kind: "delete", shape: "group" },
    ]);
    const x = t.random.int(3_000, 4_000);
    await bob.edit(document, [{ kind: "set", shape: "box", properties: { x } }]);
    await bob.edit(document, [{ kind: "insert", shape: "box", at: 2, text: "day" }]);
    await bob.edit(document, [add(t, "late", { parent: "group", above: "inside" })]);
    await bob.edit(document, [move("box", { parent: "group", above: "late" })]);
    await bob.edit(document, [{ kind: "set", shape: "group", properties: { y: x } }]);
    await bob.edit(document, [{ kind: "set", shape: "inside", properties: { y: x } }]);
    const gone = await meet(t, document, both);
    t.equal(idsOf(gone.shapes), ["stays"], "what was deleted is gone, with all that is in it");
    for (const one of both) {
      const edit = one.edit(document, [{ kind: "set", shape: "box", properties: { x: 0 } }]);
      await t.rejects(edit, "INVALID_EDIT", "nobody can edit a shape that is deleted");
    }

    t.step("ada undoes it");
    await ada.undo(document);
    const back = await meet(t, document, both);
    const ids = idsOf(allShapes(back.shapes)).sort();
    t.equal(ids, ["box", "group", "inside", "late", "stays"], "undone, all of it is there again");
    const { text, x: at } = shapeIn(back, "box") ?? {};
    t.equal({ text, at }, { text: "today", at: x }, "with what was done to it meanwhile");
    const children = shapeIn(back, "group")?.children ?? [];
    t.equal(idsOf(children), ["inside", "late", "box"], "where it was put meanwhile");

    t.step("ada deletes a group while bob moves a shape out of it");
    await ada.edit(document, [{ kind: "delete", shape: "group" }]);
    await bob.edit(document, [move("inside", { above: "stays" })]);
    const out = idsOf((await meet(t, document, both)).shapes);
    t.equal(out, ["stays", "inside"], "what is moved out of a group at the same time stays");

    t.step("both delete a shape; one of them undoes it, and then the other one");
    for (const one of both) await one.edit(document, [{ kind: "delete", shape: "stays" }]);
    await meet(t, document, both);
    await bob.undo(document);
    const still = idsOf((await meet(t, document, both)).shapes);
    t.equal(still, ["inside"], "what two have deleted is gone until both have undone it");
    await ada.undo(document);
    const again = idsOf((await meet(t, document, both)).shapes);
    t.equal(again, ["stays", "inside"], "then it is there again");
  },
});
