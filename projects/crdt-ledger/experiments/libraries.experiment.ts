import { defineExperiment } from "@db-katas/measure";
import { type Library, libraries } from "./libraries.ts";
import { timed } from "./stage.ts";
import { textOf, typed } from "./typing.ts";

export default defineExperiment({
  title:
    "What a text costs that somebody typed: to load it with its history, to keep, and to send.",
  parameters: { keystrokes: { what: "each is a change of its own", full: 10_000, quick: 500 } },
  engines: {},
  contenders: {
    loro: { what: "loro-crdt, a snapshot" },
    yjs: { what: "yjs, all of it as one update; it forgets the characters that were removed" },
    automerge: { what: "@automerge/automerge, saved" },
  },
  metrics: {
    writing: { what: "all of the keystrokes", kind: "latency", unit: "ms" },
    size: { what: "the document as it is kept", kind: "value", unit: "B" },
    change: { what: "one keystroke, as it is sent", kind: "value", unit: "B/change" },
  },
  turns: 10,
  warmUpTurns: 1,
  async open({ parameters: { keystrokes = 1 }, random }) {
    const script = typed(random, keystrokes);
    const expected = textOf(script);
    return {
      async measure(contender, turn) {
        const library = libraries[contender] as Library;
        const from = performance.now();
        const { saved, changeBytes } = library.write(script);
        turn.record("writing", performance.now() - from);
        let text = "";
        const ms = await timed(() => {
          text = library.load(saved);
        });
        // Nothing must look fast because it finds nothing.
        if (text !== expected) throw new Error(`${contender} loads another text than was written.`);
        turn.record("latency", ms);
        turn.record("size", saved.length);
        turn.record("change", changeBytes);
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});
