/** What the variant reads in a change is what Automerge reads in it. */
import * as automerge from "@automerge/automerge";
import { expect, test } from "vitest";
import type { Edit } from "../../contract.ts";
import { type RawOp, readChange } from "../../variants/automerge/columns.ts";
import { startReplica } from "../../variants/automerge/replica.ts";
import { added, DOCUMENT, removed, TREASURER, typed } from "../replica/people.ts";

/** Two people who do all kinds of things, each having seen the other's. */
async function conversation(): Promise<Uint8Array[]> {
  const made: Uint8Array[] = [];
  const actors = [TREASURER, "bob"];
  const people = actors.map((actor) => startReplica({ actor, treasurer: TREASURER }));
  for (let nth = 0; nth < 12; nth++) {
    for (const [i, one] of people.entries()) {
      const [shape, before] = [`s-${i}-${nth}`, `s-${1 - i}-${nth - 1}`];
      const edits: Edit[] = [added(shape, "group"), typed(shape, 0, `a🦜b${"x".repeat(nth * 20)}`)];
      if (i === 0) edits.push({ kind: "issue", account: "cash", amount: 5 });
      if (nth > 0) edits.push({ kind: "move", shape: before, parent: shape, above: null });
      const changes = [await one.edit(DOCUMENT, [...edits, removed(shape, 1, 2)])];
      const gone = [removed(shape, 0, 2), { kind: "delete", shape }] as const;
      changes.push(await one.edit(DOCUMENT, gone));
      const undone = await one.undo(DOCUMENT);
      if (undone) changes.push(undone);
      await people[1 - i]?.receive(DOCUMENT, changes);
      made.push(...changes.map(({ bytes }) => bytes));
    }
  }
  return made;
}

/** One for each, as Automerge tells them. */
function apart({ at, count, ...op }: RawOp, startOp: number, actor: string): object[] {
  const characters = [...String(op.value)];
  const [counter, writer] = (op.elemId ?? "").split("@");
  return Array.from({ length: count }, (_, i) => {
    if (i === 0) return { ...op, value: count > 1 && op.insert ? characters[0] : op.value };
    if (op.insert) {
      return { ...op, value: characters[i], elemId: `${startOp + at + i - 1}@${actor}` };
    }
    const elemId = `${Number(counter) + i}@${writer}`;
    return { ...op, elemId, pred: [elemId] };
  });
}

const told = (op: object) => JSON.parse(JSON.stringify({ insert: false, ...op }));

test("each operation, and what the change says of itself", async () => {
  for (const bytes of await conversation()) {
    const { ops, size, message, ...change } = readChange(bytes);
    const expected = automerge.decodeChange(bytes);
    expect(change).toEqual({
      hash: expected.hash,
      deps: expected.deps,
      actor: expected.actor,
      seq: expected.seq,
      startOp: expected.startOp,
      time: expected.time,
    });
    expect([size, message || null]).toEqual([expected.ops.length, expected.message]);
    const each = ops.flatMap((op) => apart(op, change.startOp, change.actor));
    expect(each.map(told)).toEqual(expected.ops.map(told));
  }
});

test("whatever bit is flipped, it is found", async () => {
  const [bytes] = (await conversation()) as [Uint8Array];
  for (let at = 0; at < bytes.length; at++) {
    const flipped = bytes.slice();
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    expect(() => readChange(flipped)).toThrow();
  }
});
