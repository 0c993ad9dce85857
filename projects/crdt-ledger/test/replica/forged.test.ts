/** What can be said with Loro's own means, in an actor's name, and that actor's replica never says. */
import { LoroDoc, LoroMap, LoroText } from "loro-crdt";
import { beforeEach, expect, test } from "vitest";
import type { Change, Edit, Replica } from "../../contract.ts";
import { LedgerDocument } from "../../src/replica/document.ts";
import { toJson } from "../../src/replica/encoding.ts";
import { peerOf } from "../../src/replica/identity.ts";
import { firstChange, merge, operationsOf, written } from "./forging.ts";
import { added, DOCUMENT, removed, replicaOf, TREASURER, typed } from "./people.ts";

const EVE = "eve";
const PLACE = [null, `${EVE}:1:9`, `${EVE}:1`];

let ada: Replica;
let first: Change;

beforeEach(async () => {
  ada = replicaOf("ada");
  first = await ada.edit(DOCUMENT, [added("note"), typed("note", 0, "hello")]);
});

/** Eve's first change, of any operations, by somebody who has seen ada's. */
function forged(work: (doc: LoroDoc) => void, { sees = true } = {}): Change {
  const doc = new LoroDoc();
  doc.setPeerId(peerOf(DOCUMENT, EVE));
  if (sees) merge(doc, first);
  doc.getMap("log").set(EVE, 1);
  work(doc);
  doc.commit();
  return firstChange(doc, EVE);
}

function shapeIn(doc: LoroDoc, id: string, fields: Record<string, unknown> = {}): LoroMap {
  const map = doc.getMap("shapes").setContainer(id, new LoroMap());
  const properties = { x: 1, y: 1, width: 1, height: 1, color: "#000000" };
  const tagged = Object.entries(properties).map(([name, value]) => [name, [value, `${EVE}:1`]]);
  const all = { type: "rectangle", ...Object.fromEntries(tagged), place: PLACE, ...fields };
  for (const [name, value] of Object.entries(all)) if (value !== null) map.set(name, value);
  map.setContainer("text", new LoroText());
  return map;
}

const noteIn = (doc: LoroDoc) => doc.getMap("shapes").get("note") as LoroMap;

test("a shape that is whole is taken: what is refused below is refused for what it says", async () => {
  await ada.receive(DOCUMENT, [forged((doc) => shapeIn(doc, "more"))]);
  const { shapes } = await ada.view(DOCUMENT);
  expect(shapes.map(({ id }) => id).sort()).toEqual(["more", "note"]);
});

const forgeries: Record<string, (doc: LoroDoc) => void> = {
  "a shape once more, which brings back what is deleted": (doc) => shapeIn(doc, "note"),
  "two shapes of one id": (doc) => {
    shapeIn(doc, "twin");
    shapeIn(doc, "twin");
  },
  "a shape without a colour": (doc) => shapeIn(doc, "bare", { color: null }),
  "a shape of a type that there isn't": (doc) => shapeIn(doc, "odd", { type: "star" }),
  "a shape in what is no group": (doc) =>
    shapeIn(doc, "inside", { place: ["note", `${EVE}:1:9`, `${EVE}:1`] }),
  "a shape in what isn't there": (doc) =>
    shapeIn(doc, "inside", { place: ["nobody", `${EVE}:1:9`, `${EVE}:1`] }),
  "another type for a shape": (doc) => noteIn(doc).set("type", "group"),
  "another text in place of a shape's": (doc) => {
    noteIn(doc).setContainer("text", new LoroText());
  },
  "a field that there isn't": (doc) => noteIn(doc).set("owner", EVE),
  "a colour that is none": (doc) => noteIn(doc).set("color", ["red", `${EVE}:1`]),
  "another one's deletion": (doc) => noteIn(doc).set("deleted ada:1", true),
  "another one's deletion, undone": (doc) => noteIn(doc).set("deleted ada:1", false),
  "another one's height": (doc) => doc.getList("slots").insert(0, "ada:2:1"),
  "a height taken away": (doc) => doc.getList("slots").delete(0, 1),
  "a shape taken away": (doc) => doc.getMap("shapes").delete("note"),
  "money in another one's name": (doc) =>
    doc.getList("ledger-treasury").push({ kind: "issue", account: "cash", amount: 5 }),
  "something of another kind": (doc) => doc.getMap("notes").set("a", 1),
  "another number of hers": (doc) => doc.getMap("log").set(EVE, 2),
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

/** What eve's replica would say of a text, had it another length for her. */
async function beyond(edit: Edit): Promise<Change> {
  const eve = replicaOf(EVE);
  await eve.receive(DOCUMENT, [first]);
  const change = await eve.edit(DOCUMENT, [edit]);
  const json = toJson(peerOf(DOCUMENT, EVE), operationsOf(change));
  for (const { content } of json.ops) if ("pos" in content) content.pos = 999;
  return written(change, [json]);
}

test.each([
  ["typed", "a character", typed("note", 2, "x"), "!"],
  ["removed", "a character", removed("note", 1, 2), "!"],
  ["typed", "a page", typed("note", 2, "x"), "and on ".repeat(500)],
])(
  "refused: %s beyond the end of a text, alone or with %s of others",
  async (_how, _what, edit, text) => {
    const forged = await beyond(edit);
    const cleo = replicaOf("cleo");
    await cleo.receive(DOCUMENT, [first]);
    const sound = await cleo.edit(DOCUMENT, [typed("note", 5, text)]);
    const before = await ada.view(DOCUMENT);
    for (const changes of [[forged], [forged, sound], [sound, forged]]) {
      await expect(ada.receive(DOCUMENT, changes)).rejects.toMatchObject({
        code: "INVALID_CHANGE",
        message: expect.stringContaining("Change 1 of eve"),
      });
      expect(await ada.view(DOCUMENT)).toEqual(before);
      expect(await ada.version(DOCUMENT)).toEqual({ ada: 1 });
    }
    await ada.receive(DOCUMENT, [sound]);
    expect(await ada.view(DOCUMENT)).toEqual(await cleo.view(DOCUMENT));
  },
);

test("whoever asks later whether all can take effect finds out, and can begin anew", async () => {
  const forged = await beyond(typed("note", 2, "x"));
  const document = new LedgerDocument({
    document: DOCUMENT,
    actor: "server",
    treasurer: TREASURER,
  });
  for (const change of [first, forged]) document.take([change]);
  expect(document.takesEffect()).toBe(false);
  document.close();
});

test("typed beyond the end of a text that the same change makes: asked later, it can't take effect either", () => {
  const change = forged((doc) => (shapeIn(doc, "more").get("text") as LoroText).insert(0, "x"));
  const json = toJson(peerOf(DOCUMENT, EVE), operationsOf(change));
  for (const { content } of json.ops) if ("text" in content) content.pos = 999;
  const document = new LedgerDocument({
    document: DOCUMENT,
    actor: "server",
    treasurer: TREASURER,
  });
  document.take([first]);
  expect(document.takesEffect()).toBe(true);
  document.take([written(change, [json])]);
  expect(document.takesEffect()).toBe(false);
  document.close();
});

test("of two who take one id, one has the shape, in whatever order their changes come", async () => {
  const [bob, eve] = [replicaOf("bob"), replicaOf(EVE)];
  const changes: Change[] = [];
  for (const one of [bob, eve]) {
    changes.push(await one.edit(DOCUMENT, [added("same")]));
    changes.push(await one.edit(DOCUMENT, [typed("same", 0, one === bob ? "bob's" : "eve's")]));
    changes.push(await one.edit(DOCUMENT, [{ kind: "set", shape: "same", properties: { x: 7 } }]));
  }
  const views = [];
  for (const order of [
    [0, 1, 2, 3, 4, 5],
    [3, 4, 5, 0, 1, 2],
    [0, 3, 4, 1, 5, 2],
    [5, 2, 4, 1, 3, 0],
  ]) {
    const one = replicaOf(`reader-${order.join("")}`);
    for (const i of order) await one.receive(DOCUMENT, [changes[i] as Change]);
    expect(await one.version(DOCUMENT)).toEqual({ bob: 3, eve: 3 });
    views.push(await one.view(DOCUMENT));
  }
  expect(views[0]?.shapes).toHaveLength(1);
  for (const view of views) expect(view).toEqual(views[0]);
});

/** What eve's replica would save, had she done something else in it. */
function saved(work: (doc: LoroDoc) => void): Uint8Array {
  const doc = new LoroDoc();
  doc.setPeerId(peerOf(DOCUMENT, EVE));
  merge(doc, first);
  doc.getMap("log").set(EVE, 1);
  work(doc);
  doc.commit();
  return doc.export({ mode: "snapshot" });
}

const pay = (doc: LoroDoc, entry: object, actor = EVE) =>
  doc.getList(`ledger-${actor}`).push(entry);

const pieces: Record<string, (doc: LoroDoc) => void> = {
  ...forgeries,
  "money of somebody who isn't the treasurer": (doc) =>
    pay(doc, { kind: "issue", account: "cash", amount: 5 }),
  "money that there isn't, spent": (doc) =>
    pay(doc, { kind: "transfer", from: "cash", to: "rent", amount: 5 }),
  "money that is none": (doc) => pay(doc, { kind: "issue", account: "cash", amount: -5 }),
};
/** Such a change is refused; but a whole document is judged by what it comes to, and that may be sound. */
const hidden = [
  "a shape taken away",
  "another type for a shape",
  "another number of hers",
  "another one's height",
  "another text in place of a shape's",
];
for (const what of hidden) delete pieces[what];

test.each(Object.entries(pieces))("as one piece, refused: %s", async (_what, work) => {
  const late = replicaOf("late");
  await late.edit(DOCUMENT, [added("own")]);
  const before = await late.view(DOCUMENT);
  await expect(late.load(DOCUMENT, saved(work))).rejects.toMatchObject({ code: "INVALID_CHANGE" });
  expect(await late.view(DOCUMENT)).toEqual(before);
  expect(await late.version(DOCUMENT)).toEqual({ late: 1 });
});

test("who begins with a whole document takes what others take, of two shapes of one id as well", async () => {
  const [bob, eve] = [replicaOf("bob"), replicaOf(EVE)];
  const changes: Change[] = [];
  for (const one of [bob, eve]) changes.push(await one.edit(DOCUMENT, [added("same")]));
  for (const one of [bob, eve]) changes.push(await one.edit(DOCUMENT, [typed("same", 0, "text")]));
  const whole = replicaOf("whole");
  await whole.receive(DOCUMENT, changes.slice(0, 2));
  const late = replicaOf("late");
  await late.load(DOCUMENT, await whole.save(DOCUMENT));
  for (const one of [whole, late]) await one.receive(DOCUMENT, changes.slice(2));
  expect(await late.version(DOCUMENT)).toEqual({ bob: 2, eve: 2 });
  expect(await late.view(DOCUMENT)).toEqual(await whole.view(DOCUMENT));
  const later = await late.edit(DOCUMENT, [typed("same", 0, "> ")]);
  await whole.receive(DOCUMENT, [later]);
  expect(await late.view(DOCUMENT)).toEqual(await whole.view(DOCUMENT));
});
