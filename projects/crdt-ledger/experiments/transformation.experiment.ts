import { defineExperiment } from "@db-katas/measure";
import { LoroDoc } from "loro-crdt";
import { insert, type as ot, type TextOp } from "ot-text-unicode";
import { LETTERS, letter, type Random, timed, whole } from "./stage.ts";

/** Characters before anybody edits. */
const LENGTH = 5_000;

export default defineExperiment({
  title: "How long it takes until one has what another one did meanwhile, and the other way round.",
  parameters: {
    edits: { what: "of each of two, who hear nothing of each other", full: 1_600, quick: 100 },
  },
  engines: {},
  contenders: {
    transformation: {
      what: "ot-text-unicode: one's own edits as one operation, the other's as the server has them",
    },
    loro: { what: "loro-crdt: the other's edits as one update" },
  },
  turns: 10,
  async open({ parameters: { edits = 1 }, random }) {
    const base = LETTERS.repeat(Math.ceil(LENGTH / LETTERS.length));
    const mine = scattered(random, edits);
    const others = scattered(random, edits);
    const transforming = transformed(base, mine, others);
    const importing = imported(base, mine, others);
    return {
      async measure(contender, turn) {
        const merge = contender === "loro" ? importing() : transforming();
        turn.record("latency", await timed(merge));
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});

interface Typed {
  readonly at: number;
  readonly text: string;
}

/** A letter each, anywhere in the text. */
function scattered(random: Random, edits: number): Typed[] {
  return Array.from({ length: edits }, () => ({
    at: whole(random, LENGTH),
    text: letter(random),
  }));
}

/**
 * As clients of ShareDB do it: what isn't acknowledged is one operation, and each that the server has taken
 * meanwhile is transformed by it, and transforms it.
 * @returns what prepares a turn, and returns what is timed
 */
function transformed(base: string, mine: readonly Typed[], others: readonly Typed[]) {
  const operations = ({ at, text }: Typed) => insert(at, text) as TextOp;
  const pending = mine.map(operations).reduce((all, next) => ot.compose(all, next));
  const own = ot.apply(base, pending);
  return () => () => {
    let [text, left] = [own, pending];
    for (const other of others.map(operations)) {
      text = ot.apply(text, ot.transform(other, left, "left"));
      left = ot.transform(left, other, "right");
    }
    if (text.length !== base.length + mine.length + others.length) throw new Error("Text is lost.");
  };
}

function imported(base: string, mine: readonly Typed[], others: readonly Typed[]) {
  const start = new LoroDoc();
  start.getText("text").insert(0, base);
  start.commit();
  const written = (typed: readonly Typed[]) => {
    const doc = start.fork();
    for (const { at, text } of typed) doc.getText("text").insert(at, text);
    doc.commit();
    return doc;
  };
  const own = written(mine);
  const update = written(others).export({ mode: "update", from: start.oplogVersion() });
  return () => {
    const doc = own.fork();
    return () => {
      doc.import(update);
      const { length } = doc.getText("text");
      if (length !== base.length + mine.length + others.length) throw new Error("Text is lost.");
    };
  };
}
