import { defineExperiment } from "@db-katas/measure";
import { LoroDoc } from "loro-crdt";
import { insert, type as ot, remove, type TextOp } from "ot-text-unicode";
import { letter, type Random, whole } from "./stage.ts";

const BASE = "abcdef";

export default defineExperiment({
  title: "Three people edit a text at once; two take the others' edits in different orders.",
  parameters: {
    texts: { what: "that they edit so, one after the other", full: 500, quick: 100 },
  },
  engines: {},
  contenders: {
    transformation: { what: "ot-text-unicode, each edit transformed by those that came before" },
    loro: { what: "loro-crdt" },
  },
  metrics: {
    diverged: { what: "share of the texts that differ in the end", kind: "value", unit: "1" },
  },
  turns: 10,
  warmUpTurns: 0,
  async open({ parameters: { texts = 1 }, random }) {
    return {
      async measure(contender, turn) {
        const differ = contender === "loro" ? differWithLoro : differTransformed;
        let different = 0;
        for (let i = 0; i < texts; i++) {
          const edits = [drawn(random), drawn(random), drawn(random)] as const;
          if (differ(...edits)) different += 1;
        }
        turn.record("diverged", different / texts);
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});

/** A letter more, or one or two less. */
type Edit = { readonly at: number } & ({ readonly text: string } | { readonly length: number });

function drawn(random: Random): Edit {
  if (whole(random, 2) === 0) return { at: whole(random, BASE.length + 1), text: letter(random) };
  const length = 1 + whole(random, 2);
  return { at: whole(random, BASE.length + 1 - length), length };
}

/** The third one comes last to both; which of two insertions goes to the left is the same for both. */
function differTransformed(...edits: readonly [Edit, Edit, Edit]): boolean {
  const [a, b, c] = edits.map(
    (edit) =>
      ("text" in edit ? insert(edit.at, edit.text) : remove(edit.at, edit.length)) as TextOp,
  ) as [TextOp, TextOp, TextOp];
  const [bAfterA, aAfterB] = [ot.transform(b, a, "right"), ot.transform(a, b, "left")];
  const last = (first: TextOp, second: TextOp) =>
    ot.transform(ot.transform(c, first, "right"), second, "right");
  const one = ot.apply(ot.apply(ot.apply(BASE, a), bAfterA), last(a, bAfterA));
  const other = ot.apply(ot.apply(ot.apply(BASE, b), aAfterB), last(b, aAfterB));
  return one !== other;
}

function differWithLoro(...edits: readonly [Edit, Edit, Edit]): boolean {
  const base = new LoroDoc();
  base.getText("text").insert(0, BASE);
  base.commit();
  const [a, b, c] = edits.map((edit) => {
    const doc = base.fork();
    const text = doc.getText("text");
    if ("text" in edit) text.insert(edit.at, edit.text);
    else text.delete(edit.at, edit.length);
    doc.commit();
    return doc.export({ mode: "update", from: base.oplogVersion() });
  }) as [Uint8Array, Uint8Array, Uint8Array];
  const taken = (...updates: Uint8Array[]): string => {
    const doc = base.fork();
    for (const update of updates) doc.import(update);
    return doc.getText("text").toString();
  };
  return taken(a, b, c) !== taken(b, a, c);
}
