/** What can be said with Automerge's own means, in an actor's name, and that actor's replica never says. */
import * as automerge from "@automerge/automerge";
import { ImmutableString as Scalar } from "@automerge/automerge";
import { beforeEach, expect, test } from "vitest";
import type { Change, Replica } from "../../contract.ts";
import { genesisOf, type Root, writerOf } from "../../variants/automerge/codec.ts";
import { documentOf } from "../../variants/automerge/piece.ts";
import { startReplica } from "../../variants/automerge/replica.ts";
import { added, DOCUMENT, TREASURER, typed } from "../replica/people.ts";

const EVE = "eve";
const NOTE = "note ada:1";

let ada: Replica;
let first: Change;

beforeEach(async () => {
  ada = startReplica({ actor: "ada", treasurer: TREASURER });
  first = await ada.edit(DOCUMENT, [added("note"), typed("note", 0, "hello")]);
});

/** Eve's first change, of any operations, by somebody who has seen ada's. */
function forged(work: (root: Root) => void): Change {
  const writer = writerOf(DOCUMENT, EVE);
  const seen = documentOf(genesisOf(DOCUMENT), [first.bytes], writer);
  const doc = automerge.change(seen, { time: undefined }, work);
  const bytes = automerge.getLastLocalChange(doc) as Uint8Array;
  return { actor: EVE, seq: 1, bytes };
}

function shapeIn(root: Root, id: string, fields: Record<string, unknown> = {}, parent = "null") {
  const tagged = { x: 1, y: 1, width: 1, height: 1, color: "#000000" };
  const values = Object.entries(tagged).map(([name, value]) => {
    return [name, new Scalar(JSON.stringify([value, `${EVE}:1`]))];
  });
  const type = new Scalar("rectangle");
  root.shapes[`${id} eve:1`] = { type, ...Object.fromEntries(values), text: "", ...fields };
  place(root, `eve:1:0 ["${id} eve:1",${parent},"eve:1"]`);
}

function place(root: Root, element: string): void {
  automerge.insertAt(root.moves, 0, new Scalar(element));
}

const noteIn = (root: Root) => root.shapes[NOTE] as Record<string, unknown>;

test("a shape that is whole is taken: what is refused below is refused for what it says", async () => {
  await ada.receive(DOCUMENT, [forged((root) => shapeIn(root, "more"))]);
  const { shapes } = await ada.view(DOCUMENT);
  expect(shapes.map(({ id }) => id)).toEqual(["more", "note"]);
});

const forgeries: Record<string, (root: Root) => void> = {
  "a shape once more": (root) => shapeIn(root, "note"),
  "a shape of a type that there isn't": (root) =>
    shapeIn(root, "odd", { type: new Scalar("star") }),
  "a shape with a field that there isn't": (root) =>
    shapeIn(root, "odd", { owner: new Scalar('["eve","eve:1"]') }),
  "a shape in what is no group": (root) => shapeIn(root, "inside", {}, '"note"'),
  "a shape in what isn't there": (root) => shapeIn(root, "inside", {}, '"nobody"'),
  "a shape without a place": (root) => {
    shapeIn(root, "lost");
    automerge.deleteAt(root.moves, 0);
  },
  "a place of somebody else's making": (root) => place(root, `ada:2:0 ["${NOTE}",null,"ada:1"]`),
  "a place that is wanted by nobody yet": (root) => place(root, `eve:1:0 ["${NOTE}",null,"ada:9"]`),
  "a place taken away": (root) => automerge.deleteAt(root.moves, 0),
  "another type for a shape": (root) => {
    noteIn(root).type = new Scalar("group");
  },
  "another text in place of a shape's": (root) => {
    noteIn(root).text = "";
  },
  "a colour that is none": (root) => {
    noteIn(root).color = new Scalar('["red","eve:1"]');
  },
  "a number that could be written otherwise": (root) => {
    noteIn(root).x = new Scalar('[-0,"eve:1"]');
  },
  "another one's deletion": (root) => {
    noteIn(root)["deleted ada:1"] = true;
  },
  "a mark on a text": (root) => {
    const range = { start: 0, end: 2, expand: "after" } as const;
    automerge.mark(root, ["shapes", NOTE, "text"], range, "bold", true);
  },
  "a shape taken away": (root) => {
    delete root.shapes[NOTE];
  },
  "money of somebody who isn't the treasurer": (root) => {
    root.ledger["eve:1:0"] = new Scalar('{"kind":"issue","account":"cash","amount":5}');
  },
  "money in another one's name": (root) => {
    root.ledger["treasury:1:0"] = new Scalar('{"kind":"issue","account":"cash","amount":5}');
  },
  "money that there isn't": (root) => {
    const said = '{"kind":"lend","account":"cash","to":"ada","amount":5}';
    root.ledger["eve:1:0"] = new Scalar(said);
  },
  "something of another kind": (root) => {
    (root as Record<string, unknown>).notes = true;
  },
};

test.each(Object.entries(forgeries))("refused: %s", async (_what, work) => {
  const before = await ada.view(DOCUMENT);
  await expect(ada.receive(DOCUMENT, [forged(work)])).rejects.toMatchObject({
    code: "INVALID_CHANGE",
  });
  expect(await ada.view(DOCUMENT)).toEqual(before);
  expect(await ada.version(DOCUMENT)).toEqual({ ada: 1 });
  await ada.edit(DOCUMENT, [typed("note", 5, "!")]);
});
