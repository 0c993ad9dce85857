import type { Edit, Settable, Shape } from "../contract.ts";
import { add, check, colorOf, drawn, idsOf, move, outline, shapeIn, startReplica } from "./kit.ts";

/** A character of two UTF-16 code units. */
const CLEF = "𝄞";
/** Code units that one edit may insert or remove, at most. */
const LONGEST = 100_000;
const LARGEST_AMOUNT = 1_000_000_000;

export default check({
  title: "a replica alone does what its edits say, all of one edit or nothing",
  points: 2,
  concept: "contract",
  traps: ["half-an-edit", "into-its-own", "any-length", "any-amount"],
  engines: {},
  nodes: ["ada"],
  hints: [
    "An edit has several parts. What of it is left when the last part can't be done?",
    "Look at all of them before you do the first one, or do them on a copy that you keep or throw away.",
  ],
  async run(t) {
    const ada = await startReplica(t, "ada");
    const document = t.random.word();
    t.equal(await ada.view(document), { shapes: [], balances: {} }, "a new document is empty");
    t.equal(await ada.version(document), {}, "and nobody has changed it");

    t.step("two shapes in a group, one beside it");
    const properties = drawn(t, "rectangle");
    const first = await ada.edit(document, [
      add(t, "house", { type: "group" }),
      { kind: "add", shape: "wall", parent: "house", above: null, properties },
      add(t, "roof", { parent: "house", above: "wall" }),
      add(t, "sun"),
      { kind: "insert", shape: "wall", at: 0, text: "a door" },
    ]);
    t.equal([first.actor, first.seq], ["ada", 1], "the first change has the number 1");
    let view = await ada.view(document);
    t.equal(outline(view.shapes), "sun house(wall roof)", "null is below all, others right above");
    const wall: Shape = { id: "wall", ...properties, text: "a door", children: [] };
    t.equal(shapeIn(view, "wall"), wall, "a shape is as it was drawn");

    t.step("set, move, delete, type");
    const settable: Settable = { x: -0.5, color: colorOf(t) };
    await ada.edit(document, [{ kind: "set", shape: "wall", properties: { ...settable, y: -0 } }]);
    await ada.edit(document, [{ kind: "remove", shape: "wall", at: 1, length: 3 }]);
    await ada.edit(document, [move("sun", { parent: "house", above: "wall" })]);
    view = await ada.view(document);
    t.equal(outline(view.shapes), "house(wall sun roof)", "a shape is where it was moved to");
    t.equal(
      shapeIn(view, "wall"),
      { ...wall, ...settable, y: 0, text: "aor" },
      "only that is different",
    );
    await ada.edit(document, [
      move("wall", { above: "house" }),
      { kind: "delete", shape: "house" },
    ]);
    t.equal(idsOf((await ada.view(document)).shapes), ["wall"], "what is in it is deleted with it");

    t.step("edits that can't be done, each after one that can");
    const before = { view: await ada.view(document), version: await ada.version(document) };
    const inside = { ...properties, type: "group" } as const;
    const impossible: Edit[] = [
      { kind: "set", shape: "nobody", properties: { x: 1 } },
      { kind: "set", shape: "sun", properties: { x: 1 } },
      { kind: "set", shape: "wall", properties: { x: Number.NaN } },
      { kind: "set", shape: "wall", properties: { color: "red" } },
      { kind: "set", shape: "wall", properties: { type: "group" } as Settable },
      { kind: "add", shape: "wall", parent: null, above: null, properties },
      { kind: "add", shape: "child", parent: "wall", above: null, properties: inside },
      { kind: "add", shape: "late", parent: "house", above: null, properties },
      { kind: "add", shape: "Name!", parent: null, above: null, properties },
      move("wall", { above: "sun" }),
      move("wall", { above: "wall" }),
      move("wall", { parent: "wall" }),
      { kind: "insert", shape: "wall", at: 4, text: "x" },
      { kind: "insert", shape: "wall", at: 0, text: CLEF.charAt(0) },
      { kind: "remove", shape: "wall", at: 2, length: 2 },
      { kind: "remove", shape: "wall", at: -1, length: 1 },
      { kind: "transfer", from: "cash", to: "rent", amount: 0 },
      { kind: "transfer", from: "cash", to: "rent", amount: 1.5 },
      { kind: "transfer", from: "cash", to: "rent", amount: LARGEST_AMOUNT + 1 },
      { kind: "lend", account: "cash", to: "bob", amount: LARGEST_AMOUNT + 1 },
      { kind: "lend", account: "cash", to: "Bob!", amount: 1 },
      { kind: "insert", shape: "wall", at: 0, text: "x".repeat(LONGEST + 1) },
    ];
    const possible: Edit[] = [
      add(t, "more", { above: "wall", type: "group" }),
      { kind: "set", shape: "wall", properties: { y: 77 } },
      { kind: "insert", shape: "wall", at: 0, text: "more " },
    ];
    for (const edit of impossible) {
      // A position that is outside must still be outside after the text has grown.
      const ahead = "at" in edit ? possible.slice(0, 2) : possible;
      const what = "what can't be done is refused";
      await t.rejects(ada.edit(document, [...ahead, edit]), "INVALID_EDIT", what);
    }
    const spends: Edit = { kind: "transfer", from: "cash", to: "rent", amount: 1 };
    const issues: Edit = { kind: "issue", account: "cash", amount: 1 };
    const escrow = ada.edit(document, [...possible, spends]);
    await t.rejects(escrow, "INSUFFICIENT_ESCROW", "nobody spends what there isn't");
    const treasurer = ada.edit(document, [...possible, issues]);
    await t.rejects(treasurer, "NOT_TREASURER", "only the treasurer issues money");
    const after = { view: await ada.view(document), version: await ada.version(document) };
    t.equal(after, before, "a refused edit has changed nothing");
    const { seq } = await ada.edit(document, possible);
    t.equal(seq, 6, "and the next change has the next number");

    t.step("a group into what is in it, a place beside what is elsewhere, and long texts");
    await ada.edit(document, [
      add(t, "outer", { type: "group" }),
      add(t, "inner", { parent: "outer", type: "group" }),
      add(t, "leaf", { parent: "inner" }),
      { kind: "insert", shape: "leaf", at: 0, text: "x".repeat(LONGEST) },
      { kind: "insert", shape: "leaf", at: LONGEST, text: "y" },
    ]);
    const there = await ada.view(document);
    for (const edit of [
      move("outer", { parent: "inner" }),
      move("wall", { above: "leaf" }),
      { kind: "remove", shape: "leaf", at: 0, length: LONGEST + 1 } as const,
    ]) {
      await t.rejects(ada.edit(document, [edit]), "INVALID_EDIT", "what can't be done is refused");
    }
    t.equal(await ada.view(document), there, "a refused edit has changed nothing");
    await ada.edit(document, [{ kind: "remove", shape: "leaf", at: 1, length: LONGEST }]);
    const { text } = shapeIn(await ada.view(document), "leaf") ?? {};
    t.equal(text, "x", `${LONGEST} characters can be removed at once`);
    t.equal(await ada.view(t.random.word()), { shapes: [], balances: {} }, "documents are apart");
    await ada.close();
  },
});
