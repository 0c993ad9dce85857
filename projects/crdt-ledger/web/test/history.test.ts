import { expect, test } from "vitest";
import type { Edit, View } from "../../contract.ts";
import { startReplica } from "../../src/replica/replica.ts";
import { History } from "../client/history.ts";

const DOCUMENT = "board";
const TREASURER = "treasurer";
const open = (actor: string) =>
  startReplica({ role: "replica", name: actor, actor, treasurer: TREASURER });

function rectangle(shape: string, x = 0): Edit {
  const properties = { type: "rectangle", x, y: 0, width: 9, height: 9, color: "#336699" } as const;
  return { kind: "add", shape, parent: null, above: null, properties };
}

test("each step is what its writer saw then, edits of the ledger and undoing included", async () => {
  const replica = open(TREASURER);
  const seen: View[] = [await replica.view(DOCUMENT)];
  const look = async () => seen.push(await replica.view(DOCUMENT));
  const changes: Edit[][] = [
    [rectangle("a")],
    [{ kind: "insert", shape: "a", at: 0, text: "hello" }, rectangle("b", 20)],
    [{ kind: "issue", account: "cash", amount: 100 }],
    [{ kind: "move", shape: "a", parent: null, above: "b" }],
    [{ kind: "transfer", from: "cash", to: "rent", amount: 30 }],
    [{ kind: "delete", shape: "b" }],
  ];
  for (const edits of changes) {
    await replica.edit(DOCUMENT, edits);
    await look();
  }
  await replica.undo(DOCUMENT);
  await look();
  const history = new History(DOCUMENT, await replica.save(DOCUMENT), TREASURER);
  expect(history.steps).toHaveLength(7);
  // Back and forth, as a slider goes.
  for (const step of [7, 3, 0, 5, 1, 6, 2, 4]) expect(history.at(step)).toEqual(seen[step]);
});

test("what people did at the same time is in one order for all, and ends with what they see", async () => {
  const [ada, ben] = [open("ada"), open("ben")];
  const shared = await ada.edit(DOCUMENT, [rectangle("a")]);
  await ben.receive(DOCUMENT, [shared]);
  const mine = [];
  const others = [];
  for (const i of [1, 2, 3]) {
    mine.push(await ada.edit(DOCUMENT, [{ kind: "set", shape: "a", properties: { x: i } }]));
    others.push(await ben.edit(DOCUMENT, [rectangle(`b${i}`)]));
  }
  await ada.receive(DOCUMENT, others);
  await ben.receive(DOCUMENT, mine);
  const [here, there] = [
    new History(DOCUMENT, await ada.save(DOCUMENT), TREASURER),
    new History(DOCUMENT, await ben.save(DOCUMENT), TREASURER),
  ];
  expect(here.steps.map(({ actor }) => actor)).toEqual(there.steps.map(({ actor }) => actor));
  for (let step = 0; step <= 7; step += 1) expect(here.at(step)).toEqual(there.at(step));
  expect(here.at(7)).toEqual(await ada.view(DOCUMENT));
  expect(here.at(0).shapes).toEqual([]);
});
