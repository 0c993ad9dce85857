import { randomFrom } from "@db-katas/grading";
import { LoroDoc } from "loro-crdt";
import { expect, test } from "vitest";
import type { Edit, Replica } from "../contract.ts";
import { typed } from "../experiments/typing.ts";
import reference from "../src/index.ts";
import { historyOf } from "../src/replica/history.ts";

const EDITS = 300;
const KEYSTROKES = 20;

async function replicaOf(actor: string): Promise<Replica> {
  const config = { role: "replica", name: actor, actor, treasurer: "treasury" } as const;
  return (await reference.createNode(config)) as Replica;
}

// Loro joins changes and tells long ones in pieces; where these begin has nothing to do with our edits.
test("what has been saved can be loaded, and is told change by change, after long typing by one and by two", async () => {
  const random = randomFrom(7);
  const share = () => random.int(0, 2 ** 30) / (2 ** 30 + 1);
  for (const writers of [["ada"], ["ada", "bob"]]) {
    const replicas = await Promise.all(writers.map(replicaOf));
    const [ada] = replicas as [Replica];
    const pass = async (from: Replica, edits: readonly Edit[]) => {
      const change = await from.edit("notes", edits);
      for (const to of replicas) if (to !== from) await to.receive("notes", [change]);
    };
    const size = { x: 1, y: 2, width: 3, height: 4 };
    const properties = { type: "text", ...size, color: "#336699" } as const;
    await pass(ada, [{ kind: "add", shape: "note", parent: null, above: null, properties }]);
    const keystrokes = typed(share, EDITS * KEYSTROKES).map(
      ({ at, removes, inserts }): Edit =>
        removes > 0
          ? { kind: "remove", shape: "note", at, length: removes }
          : { kind: "insert", shape: "note", at, text: inserts },
    );
    for (let i = 0; i < EDITS; i++) {
      const from = replicas[Math.floor(i / 10) % replicas.length] as Replica;
      await pass(from, keystrokes.slice(i * KEYSTROKES, (i + 1) * KEYSTROKES));
    }
    const saved = await ada.save("notes");
    const doc = new LoroDoc();
    doc.import(saved);
    const told = [...historyOf("notes", doc)].map(
      ({ actor, audited }) => `${actor}:${audited.seq}`,
    );
    expect(told).toEqual(
      (await ada.changesSince("notes", {})).map(({ actor, seq }) => `${actor}:${seq}`),
    );
    const newcomer = await replicaOf("cleo");
    await newcomer.load("notes", saved);
    expect(await newcomer.view("notes")).toEqual(await ada.view("notes"));
    expect(await newcomer.version("notes")).toEqual(await ada.version("notes"));
  }
});
