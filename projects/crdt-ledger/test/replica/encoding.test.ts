/** The form that changes are sent in: it says all that Loro's own says, and nothing that is broken is taken for one. */
import { randomFrom } from "@db-katas/grading";
import { type JsonChange, LoroDoc } from "loro-crdt";
import { beforeEach, expect, test } from "vitest";
import type { Change, Replica } from "../../contract.ts";
import { decode, toJson } from "../../src/replica/encoding.ts";
import { peerOf } from "../../src/replica/identity.ts";
import { merge, operationsOf, written } from "./forging.ts";
import { added, DOCUMENT, removed, replicaOf, TREASURER, typed } from "./people.ts";

let changes: Change[];

/** Two people who see each other's changes, and do everything that there is to do. */
beforeEach(async () => {
  const [ada, bob, treasurer] = [replicaOf("ada"), replicaOf("bob"), replicaOf(TREASURER)];
  changes = [];
  const all = [ada, bob, treasurer];
  const does = async (who: Replica, change: Promise<Change | null>) => {
    const made = await change;
    if (!made) throw new Error("There was nothing to take back.");
    changes.push(made);
    for (const other of all) if (other !== who) await other.receive(DOCUMENT, [made]);
  };
  await does(ada, ada.edit(DOCUMENT, [added("note", "text"), added("group", "group")]));
  await does(bob, bob.edit(DOCUMENT, [typed("note", 0, "naïve 🦜 text"), typed("note", 2, "!")]));
  await does(ada, ada.edit(DOCUMENT, [removed("note", 1, 4)]));
  const properties = { x: -0.5, color: "#AbCdEf" };
  await does(bob, bob.edit(DOCUMENT, [{ kind: "set", shape: "note", properties }]));
  const place = { shape: "note", parent: "group", above: null };
  await does(ada, ada.edit(DOCUMENT, [{ kind: "move", ...place }]));
  await does(ada, ada.undo(DOCUMENT));
  await does(ada, ada.undo(DOCUMENT));
  await does(bob, bob.edit(DOCUMENT, [{ kind: "delete", shape: "group" }]));
  await does(bob, bob.undo(DOCUMENT));
  const issue = { kind: "issue", account: "cash", amount: 100 } as const;
  const lend = { kind: "lend", account: "cash", to: "ada", amount: 30 } as const;
  await does(treasurer, treasurer.edit(DOCUMENT, [issue, lend]));
  const pay = { kind: "transfer", from: "cash", to: "rent", amount: 30 } as const;
  await does(ada, ada.edit(DOCUMENT, [pay, typed("note", 0, "paid")]));
});

test("Loro makes the same of it as of what it had said itself", async () => {
  const doc = new LoroDoc();
  for (const change of changes) merge(doc, change);
  const reader = replicaOf("reader");
  await reader.receive(DOCUMENT, changes);
  const own = new LoroDoc();
  own.import(await reader.save(DOCUMENT));
  expect(doc.toJSON()).toEqual(own.toJSON());
  expect(doc.exportJsonUpdates().changes).toEqual(own.exportJsonUpdates().changes);
  for (const { actor, seq, bytes } of changes) {
    const json = toJson(peerOf(DOCUMENT, actor), operationsOf({ actor, seq, bytes }));
    expect(written({ actor, seq }, [json]).bytes).toEqual(bytes);
  }
});

test("one that is broken, shortened or longer is none, and neither is another one's", () => {
  const random = randomFrom(3);
  for (const change of changes) {
    const { bytes } = change;
    expect(decode(DOCUMENT, change)).toBeDefined();
    for (let i = 0; i < 200; i++) {
      const broken = Uint8Array.from(bytes);
      const at = random.int(0, bytes.length - 1);
      broken[at] = (broken[at] as number) ^ (1 << random.int(0, 7));
      expect(decode(DOCUMENT, { ...change, bytes: broken })).toBeUndefined();
    }
    for (const length of [0, 1, 4, 5, bytes.length - 1]) {
      const short = { ...change, bytes: bytes.subarray(0, length) };
      expect(decode(DOCUMENT, short)).toBeUndefined();
    }
    const longer = { ...change, bytes: Uint8Array.from([...bytes, 32]) };
    expect(decode(DOCUMENT, longer)).toBeUndefined();
    expect(decode("another", change)).toBeUndefined();
    expect(decode(DOCUMENT, { ...change, actor: "eve" })).toBeUndefined();
    expect(decode(DOCUMENT, { ...change, seq: change.seq + 1 })).toBeUndefined();
  }
});

/** What ada's second change might say that it was made after, besides what it was. */
const misplaced: Record<string, (change: JsonChange, bobs: readonly string[]) => string[]> = {
  "nothing of hers": () => [],
  "somebody who hadn't seen hers": (_, [unseeing = ""]) => [unseeing],
  "one of hers, and one that had seen it": ({ deps }, [, seeing = ""]) => [...deps, seeing],
};

test.each(Object.entries(misplaced))("refused: a change after %s", async (_, depsOf) => {
  const [ada, bob] = [replicaOf("ada"), replicaOf("bob")];
  const first = await ada.edit(DOCUMENT, [added("one")]);
  const unseeing = await bob.edit(DOCUMENT, [added("two")]);
  await bob.receive(DOCUMENT, [first]);
  const seeing = await bob.edit(DOCUMENT, [added("three")]);
  const second = await ada.edit(DOCUMENT, [added("four")]);
  const bobs = [unseeing, seeing].map(
    (change) => `${operationsOf(change).to - 1}@${peerOf(DOCUMENT, "bob")}`,
  );
  const json = toJson(peerOf(DOCUMENT, "ada"), operationsOf(second));
  const deps = depsOf(json, bobs) as JsonChange["deps"];
  const forged = written(second, [{ ...json, deps }]);
  const reader = replicaOf("reader");
  await reader.receive(DOCUMENT, [first, unseeing, seeing]);
  await expect(reader.receive(DOCUMENT, [forged])).rejects.toMatchObject({
    code: "INVALID_CHANGE",
  });
  expect(await reader.version(DOCUMENT)).toEqual({ ada: 1, bob: 2 });
  await reader.receive(DOCUMENT, [second]);
  expect(await reader.version(DOCUMENT)).toEqual({ ada: 2, bob: 2 });
});
