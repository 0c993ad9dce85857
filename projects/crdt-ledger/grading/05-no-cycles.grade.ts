import type { Replica } from "../contract.ts";
import { add, allShapes, check, idsOf, meet, move, outline, startReplicas } from "./kit.ts";

export default check({
  title:
    "groups that are moved into one another stay on the board, each once, with all that is in it",
  points: 2,
  concept: "trees",
  traps: ["group-in-itself"],
  engines: {},
  nodes: ["ada", "bob", "cleo"],
  dependsOn: ["alone"],
  hints: [
    "Each of two moves is fine where it is made. What do both together make?",
    "Everybody must break the ring at the same shape, by what all of them have: not by who came last here.",
  ],
  async run(t) {
    const replicas = (await startReplicas(t, ["ada", "bob", "cleo"])) as [
      Replica,
      Replica,
      Replica,
    ];
    const groups = t.random.shuffle(["pond", "yard", "shed"]);
    for (const size of [2, 3]) {
      const document = t.random.word();
      const ring = groups.slice(0, size);
      await replicas[0].edit(
        document,
        groups.flatMap((id) => [add(t, id, { type: "group" }), add(t, `in-${id}`, { parent: id })]),
      );
      await meet(t, document, replicas);
      t.step(`${size} people move a group into the next one's, in a ring`);
      for (const [i, id] of ring.entries()) {
        await replicas[i]?.edit(document, [move(id, { parent: ring[(i + 1) % size] as string })]);
      }
      const expected = groups.flatMap((id) => [id, `in-${id}`]).sort();
      const whole = "each shape is on the board once";
      const view = await meet(t, document, replicas);
      t.equal(idsOf(allShapes(view.shapes)).sort(), expected, whole);
      const filled = groups.filter((id) => {
        const group = allShapes(view.shapes).find((shape) => shape.id === id);
        return idsOf(group?.children ?? []).includes(`in-${id}`);
      });
      t.equal(filled.sort(), groups.toSorted(), "with what is in it");

      t.step("somebody moves what can be moved out of the ring, and the others follow");
      const nested = allShapes(view.shapes).find((shape) =>
        shape.children.some(({ id }) => ring.includes(id)),
      );
      const moved = nested?.children.find(({ id }) => ring.includes(id))?.id;
      if (moved === undefined) continue;
      const before = outline(view.shapes.filter(({ id }) => id !== nested?.id));
      await replicas[1].edit(document, [move(moved)]);
      const after = await meet(t, document, replicas);
      t.equal(idsOf(allShapes(after.shapes)).sort(), expected, whole);
      t.ok(idsOf(after.shapes).includes(moved), "a shape is where it was moved to", {
        expected: `${moved} on the board, beside ${before || "nothing"}`,
        received: outline(after.shapes),
      });
      const alone = after.shapes.find(({ id }) => id === nested?.id);
      t.ok(alone !== undefined, "a move moves nothing else", {
        expected: `${nested?.id} still on the board`,
        received: outline(after.shapes),
      });
    }
  },
});
