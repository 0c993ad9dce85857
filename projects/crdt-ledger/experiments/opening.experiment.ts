import { defineExperiment } from "@db-katas/measure";
import { LoroDoc } from "loro-crdt";
import type { Edit, Replica } from "../contract.ts";
import reference from "../src/index.ts";
import { type Random, timed } from "./stage.ts";
import { typed } from "./typing.ts";

const DOCUMENT = "opening";
/** In whose texts people type. */
const SHAPES = 50;
/** Keystrokes that make a change: as many as somebody types between two looks at the network. */
const EACH = 20;
const WRITERS = ["ada", "bob"];

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
  turns: 10,
  warmUpTurns: 1,
  async open({ parameters: { operations = 1 }, random }) {
    const saved = await history(random, operations);
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

async function replicaOf(actor: string): Promise<Replica> {
  const config = { role: "replica", name: actor, actor, treasurer: "treasury" } as const;
  return (await reference.createNode(config)) as Replica;
}

/** Two people take turns in writing on the same shapes, each seeing what the other one wrote before. */
async function history(random: Random, operations: number): Promise<Uint8Array> {
  const writers = await Promise.all(WRITERS.map(replicaOf));
  const shapes = Array.from({ length: SHAPES }, (_, i) => `shape-${i}`);
  const size = { x: 1, y: 2, width: 30, height: 40 };
  const added = shapes.map(
    (shape): Edit => ({
      kind: "add",
      shape,
      parent: null,
      above: null,
      properties: { type: "text", ...size, color: "#336699" },
    }),
  );
  const pass = async (edits: readonly Edit[], from: number) => {
    const change = await (writers[from] as Replica).edit(DOCUMENT, edits);
    await (writers[1 - from] as Replica).receive(DOCUMENT, [change]);
  };
  await pass(added, 0);
  const scripts = shapes.map((shape) =>
    typed(random, Math.ceil(operations / SHAPES)).map(
      ({ at, removes, inserts }): Edit =>
        removes > 0
          ? { kind: "remove", shape, at, length: removes }
          : { kind: "insert", shape, at, text: inserts },
    ),
  );
  for (let turn = 0; scripts.some((script) => script.length > 0); turn++) {
    const edits = scripts[turn % SHAPES]?.splice(0, EACH) ?? [];
    // Each text is by both.
    if (edits.length > 0) await pass(edits, Math.floor(turn / SHAPES) % WRITERS.length);
  }
  const saved = await (writers[0] as Replica).save(DOCUMENT);
  await Promise.all(writers.map((writer) => writer.close()));
  return saved;
}
