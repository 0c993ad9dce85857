import type { DocumentId, Replica } from "../contract.ts";
import { add, check, type LedgerContext, meet, shapeIn, startReplicas } from "./kit.ts";

/** Characters of two UTF-16 code units, and one that is made of several of these. */
const WIDE = ["𝄞", "🦜", "𐐷", "👩‍🚀"];

export default check({
  title: "words stay whole when several people type at one place, with characters of any width",
  points: 2,
  concept: "text",
  traps: ["code-points", "text-is-a-value"],
  engines: {},
  nodes: ["ada", "bob"],
  dependsOn: ["alone"],
  hints: [
    "How long is 𝄞? JavaScript, a database and a CRDT library may each have an answer of their own.",
    "Find out in which unit each call of your library counts, and have one place where that is translated.",
  ],
  async run(t) {
    const [ada, bob] = (await startReplicas(t, ["ada", "bob"])) as [Replica, Replica];
    const both = [ada, bob];
    const document = t.random.word();
    const wide = Array.from({ length: 5 }, () => t.random.pick(WIDE)).join("");
    await ada.edit(document, [
      add(t, "note"),
      { kind: "insert", shape: "note", at: 0, text: `${wide}.` },
    ]);
    await meet(t, document, both);

    t.step("both type a word after the wide characters, a character at a time");
    const words = [`[${t.random.word(5)}🦜${t.random.word(3)}]`, `<${t.random.word(7)}𝄞>`];
    for (const [i, replica] of both.entries()) {
      await typed(replica, document, wide.length, words[i] as string);
    }
    const text = await textOf(t, document, both);
    const [first, second] = words;
    const whole = [`${wide}${first}${second}.`, `${wide}${second}${first}.`];
    t.ok(whole.includes(text), "both words are whole, one after the other", {
      expected: whole.join(" or "),
      received: text,
    });

    t.step("ada removes wide characters, bob types where they end");
    const head = [...wide][0] as string;
    await ada.edit(document, [{ kind: "remove", shape: "note", at: 0, length: wide.length }]);
    await bob.edit(document, [
      { kind: "insert", shape: "note", at: wide.length, text: "+" },
      { kind: "remove", shape: "note", at: 0, length: head.length },
    ]);
    const left = text.slice(wide.length);
    t.equal(
      await textOf(t, document, both),
      `+${left}`,
      "what was removed is gone, and nothing else",
    );

    t.step("a pair of surrogates is never parted");
    const at = (await textOf(t, document, both)).indexOf("🦜") + 1;
    const inside = [
      ada.edit(document, [{ kind: "insert", shape: "note", at, text: "x" }]),
      ada.edit(document, [{ kind: "remove", shape: "note", at: at - 1, length: 1 }]),
      ada.edit(document, [{ kind: "remove", shape: "note", at, length: 1 }]),
    ];
    for (const edit of inside) {
      await t.rejects(edit, "INVALID_EDIT", "no edit begins or ends within a surrogate pair");
    }
    t.equal(await textOf(t, document, both), `+${left}`, "and the text is what it was");
  },
});

async function typed(
  replica: Replica,
  document: DocumentId,
  at: number,
  word: string,
): Promise<void> {
  let where = at;
  for (const text of word) {
    await replica.edit(document, [{ kind: "insert", shape: "note", at: where, text }]);
    where += text.length;
  }
}

async function textOf(
  t: LedgerContext,
  document: DocumentId,
  replicas: readonly Replica[],
): Promise<string> {
  return shapeIn(await meet(t, document, replicas), "note")?.text ?? "(no such shape)";
}
