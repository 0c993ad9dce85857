import type { Replica } from "../contract.ts";
import {
  add,
  check,
  colorOf,
  type LedgerContext,
  meet,
  move,
  outline,
  shapeIn,
  startReplica,
} from "./kit.ts";

const RUN = "characters are put back in their order, between those that they were between";

export default check({
  title: "undo takes back what one did oneself, and nothing that others have done since",
  points: 3,
  concept: "undo",
  traps: [
    "undoes-others",
    "puts-back-anywhere",
    "undoes-nothing",
    "puts-into-itself",
    "first-things-first",
    "puts-back-by-position",
    "puts-back-in-pieces",
  ],
  engines: {},
  nodes: ["ada", "bob"],
  dependsOn: ["alone"],
  hints: [
    "Ada sets a colour, Bob another one, and Ada undoes. What did Ada want back?",
    "Remember of each value which change it comes from. What isn't yours any more isn't yours to take back.",
    "Positions in a text move as others type. Remember the characters themselves: libraries give each an id.",
  ],
  async run(t) {
    const treasurer = "ada";
    const [ada, bob] = await Promise.all([
      startReplica(t, "ada", { treasurer }),
      startReplica(t, "bob", { treasurer }),
    ]);
    const both = [ada, bob];
    const document = t.random.word();
    t.equal(await ada.undo(document), null, "there is nothing to take back at first");
    await bob.edit(document, [
      add(t, "group", { type: "group" }),
      add(t, "box", { above: "group" }),
      add(t, "base", { above: "box" }),
      { kind: "insert", shape: "box", at: 0, text: "one two" },
    ]);
    const start = await meet(t, document, both);
    t.equal(await ada.undo(document), null, "and others' edits are not for ada to take back");

    t.step("ada does all kinds of things; bob, who has seen them, something of his own");
    await ada.edit(document, [
      { kind: "set", shape: "box", properties: { x: 9_001, y: 9_002, color: colorOf(t) } },
    ]);
    await ada.edit(document, [
      { kind: "insert", shape: "box", at: 3, text: "🦜 and" },
      { kind: "remove", shape: "box", at: 0, length: 1 },
    ]);
    await ada.edit(document, [move("box", { parent: "group" }), add(t, "extra")]);
    await ada.edit(document, [{ kind: "delete", shape: "base" }]);
    const done = await meet(t, document, both);
    t.equal(outline(done.shapes), "extra group(box)", "all of it is done");
    t.equal(shapeIn(done, "box")?.text, "ne🦜 and two", "the text as well");
    await bob.edit(document, [{ kind: "set", shape: "box", properties: { y: 7 } }]);
    await bob.edit(document, [{ kind: "insert", shape: "box", at: 5, text: "B" }]);
    await meet(t, document, both);

    t.step("ada undoes one after the other");
    await ada.undo(document);
    let view = await meet(t, document, both);
    t.equal(outline(view.shapes), "extra group(box) base", "what was deleted is there again");
    await ada.undo(document);
    view = await meet(t, document, both);
    t.equal(
      outline(view.shapes),
      "group box base",
      "what was added is gone, and places are as before",
    );
    await ada.undo(document);
    view = await meet(t, document, both);
    t.equal(
      shapeIn(view, "box")?.text,
      "oneB two",
      "one's own text is taken back, another's stays",
    );
    await ada.undo(document);
    view = await meet(t, document, both);
    const before = shapeIn(start, "box");
    const { x, y, color } = shapeIn(view, "box") ?? {};
    const expected = { x: before?.x, y: 7, color: before?.color };
    t.equal({ x, y, color }, expected, "a value that another one has set since stays");
    t.equal(await ada.undo(document), null, "each edit is taken back once");

    t.step("a value that bob has set between two edits of ada's");
    for (const [who, at] of [
      [ada, 1],
      [bob, 2],
      [ada, 3],
    ] as const) {
      await who.edit(document, [{ kind: "set", shape: "base", properties: { x: at } }]);
      await meet(t, document, both);
    }
    await ada.undo(document);
    const bobs = "the value before the edit is there again";
    t.equal(shapeIn(await meet(t, document, both), "base")?.x, 2, bobs);
    await ada.undo(document);
    const stays = "an edit that isn't in force any more takes nothing of another one with it";
    t.equal(shapeIn(await meet(t, document, both), "base")?.x, 2, stays);

    t.step("typed, partly removed, and both undone");
    await ada.edit(document, [{ kind: "insert", shape: "base", at: 0, text: "abcdef" }]);
    await ada.edit(document, [{ kind: "remove", shape: "base", at: 2, length: 2 }]);
    // What comes as one piece takes nothing from what can be taken back.
    await ada.load(document, await bob.save(document));
    await ada.undo(document);
    const whole = shapeIn(await meet(t, document, both), "base")?.text;
    t.equal(whole, "abcdef", "characters that were removed are where they were");
    await ada.undo(document);
    const empty = shapeIn(await meet(t, document, both), "base")?.text;
    t.equal(empty, "", "and are taken back with the edit that typed them");

    t.step("characters that ada typed and bob has put back; a group that bob has deleted since");
    await ada.edit(document, [{ kind: "insert", shape: "base", at: 0, text: "abc" }]);
    await meet(t, document, both);
    await bob.edit(document, [{ kind: "remove", shape: "base", at: 1, length: 1 }]);
    await bob.undo(document);
    t.equal(shapeIn(await meet(t, document, both), "base")?.text, "abc", "bob puts his back");
    await ada.undo(document);
    const kept = shapeIn(await meet(t, document, both), "base")?.text;
    t.equal(kept, "b", "what somebody else has put back is theirs");
    await bob.edit(document, [move("base", { parent: "group" })]);
    await meet(t, document, both);
    await ada.edit(document, [move("base")]);
    await meet(t, document, both);
    await bob.edit(document, [{ kind: "delete", shape: "group" }]);
    await meet(t, document, both);
    await ada.undo(document);
    const board = outline((await meet(t, document, both)).shapes);
    t.equal(board, "base box", "nothing is put back into a group that isn't there any more");

    t.step(
      "ada moves a group out of another one, which bob moves into it; both remove a character",
    );
    // By which name a ring would be broken is nobody's business.
    for (const [outer, inner] of [
      ["a-group", "b-group"],
      ["b-group", "a-group"],
    ] as const) {
      const nested = t.random.word();
      await ada.edit(nested, [
        add(t, outer, { type: "group" }),
        add(t, inner, { parent: outer, type: "group" }),
        { kind: "insert", shape: inner, at: 0, text: "ab" },
      ]);
      await ada.edit(nested, [move(inner)]);
      await meet(t, nested, both);
      await bob.edit(nested, [move(outer, { parent: inner })]);
      await meet(t, nested, both);
      await ada.undo(nested);
      const tree = outline((await meet(t, nested, both)).shapes);
      t.equal(tree, `${inner}(${outer})`, "nothing is put back into itself");
      for (const one of both) {
        await one.edit(nested, [{ kind: "remove", shape: inner, at: 0, length: 1 }]);
      }
      await meet(t, nested, both);
      for (const one of both) await one.undo(nested);
      const doubled = shapeIn(await meet(t, nested, both), inner)?.text;
      t.equal(doubled, "aab", "what two have removed and both put back is there twice");
    }

    await textsComeBack(t, ada, bob);

    t.step("an edit of board and ledger, and then one of the ledger alone");
    const wide = shapeIn(await ada.view(document), "box")?.width;
    await ada.edit(document, [
      { kind: "set", shape: "box", properties: { width: 8_001 } },
      { kind: "issue", account: "cash", amount: 50 },
    ]);
    await ada.edit(document, [{ kind: "transfer", from: "cash", to: "rent", amount: 20 }]);
    await ada.undo(document);
    const { shapes, balances } = await meet(t, document, both);
    const passed = "an edit with nothing but the ledger in it is passed over";
    t.equal(shapeIn({ shapes, balances }, "box")?.width, wide, passed);
    t.equal(balances, { cash: 30, rent: 20 }, "what was issued and paid stays so");
  },
});

/** What one edit has typed and removed again; what somebody else has typed in front of a removed run, and into it. */
async function textsComeBack(t: LedgerContext, ada: Replica, bob: Replica): Promise<void> {
  t.step("ada types and removes some of that in one edit, and undoes");
  const both = [ada, bob];
  const document = t.random.word();
  const textOf = async () => shapeIn(await meet(t, document, both), "note")?.text ?? "";
  await ada.edit(document, [
    add(t, "note"),
    { kind: "insert", shape: "note", at: 0, text: "abcdef" },
  ]);
  await ada.edit(document, [
    { kind: "insert", shape: "note", at: 3, text: "xyz" },
    { kind: "remove", shape: "note", at: 4, length: 4 },
  ]);
  t.equal(await textOf(), "abcxf", "an edit's parts are done one after the other");
  await ada.undo(document);
  t.equal(await textOf(), "abcdef", "what an edit has itself typed isn't put back");

  t.step("ada removes a run; bob types into it and in front of it; ada undoes");
  await ada.edit(document, [{ kind: "remove", shape: "note", at: 1, length: 4 }]);
  await bob.edit(document, [{ kind: "insert", shape: "note", at: 3, text: "!" }]);
  await bob.edit(document, [{ kind: "insert", shape: "note", at: 0, text: "<" }]);
  t.equal(await textOf(), "<a!f", "what somebody types into a removed run is there");
  await ada.undo(document);
  const text = await textOf();
  t.ok(/^<a.*!.*f$/.test(text) && text.replace("!", "") === "<abcdef", RUN, {
    expected: "<abcdef, and a ! somewhere between the a and the f",
    received: text,
  });
}
