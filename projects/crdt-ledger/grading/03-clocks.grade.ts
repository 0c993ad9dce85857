import type { Replica } from "../contract.ts";
import { add, check, meet, move, outline, shapeIn, startReplicas } from "./kit.ts";

const AHEAD_MS = 3_600_000;
/** Of each of two; that a coin falls on one side as often as this is not to be expected in a lifetime. */
const ROUNDS = 12;

export default check({
  title:
    "who has seen a value sets a newer one, whatever the clocks say; between two, no clock decides",
  points: 2,
  concept: "clocks",
  traps: ["wall-clock-wins", "whole-shape"],
  engines: {},
  nodes: ["ada", "bob"],
  dependsOn: ["alone"],
  hints: [
    "A laptop's clock is an hour ahead. Whose edits survive, for an hour?",
    "Count instead: a change's number is larger than that of each one it has seen (Lamport, 1978). With equal numbers something decides that is the same everywhere, and no clock.",
  ],
  async run(t) {
    const [ada, bob] = (await startReplicas(t, ["ada", "bob"])) as [Replica, Replica];
    const nodes = [
      { name: "ada", replica: ada },
      { name: "bob", replica: bob },
    ];
    let wins = 0;
    for (const ahead of nodes) {
      const behind = ahead === nodes[0] ? bob : ada;
      for (const { name } of nodes) await t.skew(name, name === ahead.name ? AHEAD_MS : 0);
      t.step(`${ahead.name} is an hour ahead; the other one sets what it has seen of it`);
      const seen = t.random.word();
      await ahead.replica.edit(seen, [add(t, "box")]);
      await ahead.replica.edit(seen, [{ kind: "set", shape: "box", properties: { x: 1 } }]);
      await meet(t, seen, [ada, bob]);
      await behind.edit(seen, [{ kind: "set", shape: "box", properties: { x: 2 } }]);
      const view = await meet(t, seen, [ada, bob]);
      t.equal(shapeIn(view, "box")?.x, 2, "who had seen the other value sets a newer one");

      t.step(`neither has seen the other, on ${ROUNDS} documents`);
      for (let round = 0; round < ROUNDS; round++) {
        const document = t.random.word();
        await ada.edit(document, [add(t, "box"), add(t, "base")]);
        await meet(t, document, [ada, bob]);
        const [one, other] = [
          { x: 1e6, y: round + 0.5 },
          { x: 2e6, width: round + 0.25 },
        ];
        await ahead.replica.edit(document, [{ kind: "set", shape: "box", properties: one }]);
        await behind.edit(document, [
          { kind: "set", shape: "box", properties: other },
          move("base", { above: "box" }),
        ]);
        const view = await meet(t, document, [ada, bob]);
        const { x, y, width } = shapeIn(view, "box") ?? {};
        const rest = { y: one.y, width: other.width };
        t.equal({ y, width }, rest, "what only one of them has set is what they have set");
        t.equal(outline(view.shapes), "box base", "and is where they have put it");
        t.ok(x === 1e6 || x === 2e6, "one of both values is there", {
          expected: "1e6 or 2e6",
          received: `${x}`,
        });
        if (x === 1e6) wins += 1;
      }
    }
    t.ok(wins > 0 && wins < 2 * ROUNDS, "being ahead or behind doesn't decide who wins", {
      expected: `each wins some of ${2 * ROUNDS}`,
      received: `whoever was ahead won ${wins}`,
    });
  },
});
