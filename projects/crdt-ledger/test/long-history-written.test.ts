import { randomFrom } from "@db-katas/grading";
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

test("a history that the library alone has written is to the byte the one that replicas write", async () => {
  const random = randomFrom(11);
  const turns = turnsOf(() => random.int(0, 2 ** 30) / (2 ** 30 + 1), 6_000);
  const replicas = await Promise.all(WRITERS.map(replicaOf));
  const [ada, bob] = replicas as [Replica, Replica];
  const pass = async (writer: number, edits: readonly Edit[]) => {
    const change = await (writer === 0 ? ada : bob).edit(DOCUMENT, edits);
    await (writer === 0 ? bob : ada).receive(DOCUMENT, [change]);
  };
  await pass(0, shapesToAdd());
  for (const { writer, edits } of turns) await pass(writer, edits);
  const expected = Buffer.from(await ada.save(DOCUMENT));
  expect(Buffer.from(await longHistory(turns)).equals(expected)).toBe(true);
});
