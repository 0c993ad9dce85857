import { defineExperiment } from "@db-katas/measure";
import { LoroDoc } from "loro-crdt";
import { DOCUMENT, longHistory, replicaOf, SHAPES, turnsOf } from "./long-history.ts";
import { timed } from "./stage.ts";

export default defineExperiment({
  title: "How long it takes to open a board with a long history, from one piece.",
  parameters: {
    operations: { what: "characters that were typed or removed", full: 250_000, quick: 4_000 },
  },
  engines: {},
  contenders: {
    replica: { what: "load() and view() of the reference, which looks at each change in it" },
    loro: { what: "import() and toJSON() of the library alone, which believes it" },
  },
  metrics: {
    size: { what: "the piece", kind: "value", unit: "B" },
  },
  turns: 100,
  warmUpTurns: 1,
  async open({ parameters: { operations = 1 }, random }) {
    const saved = await longHistory(turnsOf(random, operations));
    return {
      async measure(contender, turn) {
        turn.record("size", saved.length);
        if (contender === "replica") {
          const replica = await replicaOf("newcomer");
          turn.record(
            "latency",
            await timed(async () => {
              await replica.load(DOCUMENT, saved);
              const { shapes } = await replica.view(DOCUMENT);
              if (shapes.length !== SHAPES) throw new Error("Shapes are lost.");
            }),
          );
          await replica.close();
        } else {
          const doc = new LoroDoc();
          turn.record(
            "latency",
            await timed(() => {
              doc.import(saved);
              doc.toJSON();
            }),
          );
          doc.free();
        }
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});
