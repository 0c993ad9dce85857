/** Long texts, and what undo makes of them where several have typed. */
import { expect, test } from "vitest";
import { added, DOCUMENT, meet, removed, replicaOf, textOf, typed } from "./people.ts";

const LONG = 60_000;
const long = Array.from({ length: LONG / 4 }, (_, i) => (i % 7 === 0 ? "🦜ab" : "word")).join("");

test("a long text is removed and put back, typed and taken back", async () => {
  const ada = replicaOf("ada");
  await ada.edit(DOCUMENT, [added("note")]);
  await ada.edit(DOCUMENT, [typed("note", 0, long)]);
  await ada.edit(DOCUMENT, [removed("note", 0, long.length)]);
  expect(await textOf(ada, "note")).toBe("");
  await ada.undo(DOCUMENT);
  expect(await textOf(ada, "note")).toBe(long);
  await ada.undo(DOCUMENT);
  expect(await textOf(ada, "note")).toBe("");
});

test("undo takes out what one typed, wherever others have typed and removed within it", async () => {
  const [ada, bob] = [replicaOf("ada"), replicaOf("bob")];
  await ada.edit(DOCUMENT, [added("note"), typed("note", 0, "<>")]);
  await ada.edit(DOCUMENT, [typed("note", 1, "one 🦜 two")]);
  await meet(ada, bob);
  await bob.edit(DOCUMENT, [typed("note", 5, "[𝄞]")]);
  await bob.edit(DOCUMENT, [removed("note", 2, 2)]);
  await meet(ada, bob);
  expect(await textOf(ada, "note")).toBe("<o [𝄞]🦜 two>");
  await ada.undo(DOCUMENT);
  await meet(ada, bob);
  expect(await textOf(bob, "note")).toBe("<[𝄞]>");
});

test("what was removed in parts, of several people, comes back as it was", async () => {
  const [ada, bob] = [replicaOf("ada"), replicaOf("bob")];
  await ada.edit(DOCUMENT, [added("note"), typed("note", 0, "aaaa")]);
  await meet(ada, bob);
  await bob.edit(DOCUMENT, [typed("note", 2, "b🦜b")]);
  await bob.edit(DOCUMENT, [typed("note", 0, "B")]);
  await meet(ada, bob);
  const before = await textOf(ada, "note");
  expect(before).toBe("Baab🦜baa");
  await ada.edit(DOCUMENT, [removed("note", 1, 7)]);
  expect(await textOf(ada, "note")).toBe("Ba");
  await ada.undo(DOCUMENT);
  await meet(ada, bob);
  expect(await textOf(bob, "note")).toBe(before);
  // Hers again: she typed these, whoever has put what beside them.
  await ada.undo(DOCUMENT);
  await meet(ada, bob);
  expect(await textOf(bob, "note")).toBeUndefined();
});

test("removed twice and put back twice, characters are still those that were typed", async () => {
  const ada = replicaOf("ada");
  await ada.edit(DOCUMENT, [added("note")]);
  await ada.edit(DOCUMENT, [typed("note", 0, "abcdef")]);
  await ada.edit(DOCUMENT, [removed("note", 1, 3)]);
  await ada.undo(DOCUMENT);
  await ada.edit(DOCUMENT, [removed("note", 2, 3)]);
  await ada.undo(DOCUMENT);
  expect(await textOf(ada, "note")).toBe("abcdef");
  await ada.undo(DOCUMENT);
  expect(await textOf(ada, "note")).toBe("");
});

test("no edit inserts or removes more than 100,000 code units", async () => {
  const ada = replicaOf("ada");
  await ada.edit(DOCUMENT, [added("note"), typed("note", 0, "x".repeat(100_000))]);
  for (const edit of [typed("note", 0, "x".repeat(100_001)), removed("note", 0, 100_001)]) {
    await expect(ada.edit(DOCUMENT, [edit])).rejects.toMatchObject({ code: "INVALID_EDIT" });
  }
});
