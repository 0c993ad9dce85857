import { randomFrom } from "@db-katas/grading";
import { LoroDoc } from "loro-crdt";
import { expect, test } from "vitest";
import type { Edit, Replica } from "../contract.ts";
import {
  DOCUMENT,
  longHistory,
  replicaOf,
  shapesToAdd,
  turnsOf,
  WRITERS,
} from "../experiments/long-history.ts";
import { historyOf } from "../src/replica/history.ts";

test("a history that the library alone has written has the changes that replicas would have made", async () => {
  const random = randomFrom(11);
  const turns = turnsOf(() => random.int(0, 2 ** 30) / (2 ** 30 + 1), 4_000);
  const [ada, bob] = (await Promise.all(WRITERS.map(replicaOf))) as [Replica, Replica];
  const pass = async (writer: number, edits: readonly Edit[]) => {
    const [from, to] = writer === 0 ? [ada, bob] : [bob, ada];
    await to.receive(DOCUMENT, [await from.edit(DOCUMENT, edits)]);
  };
  await pass(0, shapesToAdd());
  for (const { writer, edits } of turns) await pass(writer, edits);
  const expected = await ada.save(DOCUMENT);
  const written = await longHistory(turns);
  expect(await told(written)).toEqual(await told(expected));
  // Where Loro begins a new block is up to when it was last asked for something.
  expect(Math.abs(written.length / expected.length - 1)).toBeLessThan(0.02);
});

/** Who made which change with which operations, and what all of it comes to. */
async function told(saved: Uint8Array) {
  const doc = new LoroDoc();
  doc.import(saved);
  const changes = [...historyOf(DOCUMENT, doc)].map(({ actor, id, audited }) => ({
    name: `${actor}:${audited.seq}`,
    id,
    texts: [...audited.containers],
  }));
  const newcomer = await replicaOf("newcomer");
  await newcomer.load(DOCUMENT, saved);
  const [view, version] = [await newcomer.view(DOCUMENT), await newcomer.version(DOCUMENT)];
  return { changes, ends: doc.oplogVersion().toJSON(), view, version };
}
