import { blackHole } from "@db-katas/engines/faults/blackHole";
import { resetConnections } from "@db-katas/engines/faults/resetConnections";
import {
  type Client,
  type Person,
  rectangle,
  rowsOf,
  type ServerNode,
  Stage,
  typing,
} from "./clients.ts";
import { check, type LedgerContext } from "./kit.ts";

/** More messages than one compaction, or one push, has of its own. */
const MOST_MESSAGES = 4;

export default check({
  title:
    "compaction loses nothing: neither for those who come back, nor of what is pushed meanwhile",
  points: 6,
  concept: "compaction",
  traps: [
    "compacts-the-unmerged",
    "synced-too-early",
    "asks-the-rows",
    "overtaken",
    "snapshot-for-all",
    "compacts-them-all",
    "counts-positions",
  ],
  engines: { postgres: { faults: [blackHole, resetConnections] } },
  nodes: ["s1", "s2", "ann", "bob", "cid"],
  hints: [
    "What is removed: the rows that are in the snapshot, or the rows that are there?",
    "Between saving and removing, somebody pushes. Which position does the snapshot go up to, and who says so to the DELETE?",
    "Put the snapshot, its position and the removal of the rows up to that position into one statement.",
  ],
  async run(t) {
    const stage = new Stage(t);
    const [s1, s2] = await Promise.all([stage.server("s1"), stage.server("s2")]);
    const [ann, bob, cid] = await Promise.all(
      ["ann", "bob", "cid"].map((who) => stage.person(who)),
    );
    if (!ann || !bob || !cid) return;
    await comesBack(t, stage, { s1, s2, ann, bob, cid });
    for (let nth = 1; nth <= MOST_MESSAGES; nth++) {
      // s2 compacts and s1 takes pushes; now the one is held and now the other one.
      await meets(stage.elsewhere(), { s1, s2, ann, bob, cid, nth, held: s2 });
      await meets(stage.elsewhere(), { s1, s2, ann, bob, cid, nth, held: s1 });
    }
  },
});

interface Scene {
  readonly s1: ServerNode;
  readonly s2: ServerNode;
  readonly ann: Person;
  readonly bob: Person;
  readonly cid: Person;
}

/** Bob is away while all is compacted, and has made something himself. */
async function comesBack(
  t: LedgerContext,
  stage: Stage,
  { s1, s2, ann, bob, cid }: Scene,
): Promise<void> {
  const [kept, gone, typed] = [
    `k-${t.random.word(6)}`,
    `g-${t.random.word(6)}`,
    `t-${t.random.word(6)}`,
  ];
  using onS1 = await stage.connect(ann, s1);
  const first = await ann.edit(rectangle(kept), rectangle(gone), rectangle(typed));
  await onS1.push(ann.outbox);
  {
    using before = await stage.connect(bob, s2);
    await before.has("ann", 1, "bob sees what ann added");
  }
  t.step("bob is away, and draws; ann deletes a shape, and all is compacted");
  const mine = `b-${t.random.word(6)}`;
  await bob.edit(rectangle(mine), typing(typed, "bob"));
  await bob.edit({ kind: "set", shape: gone, properties: { x: 77 } });
  await ann.edit({ kind: "delete", shape: gone });
  await ann.edit(typing(typed, "ann"));
  await onS1.flush("what ann does meanwhile is acknowledged");
  const elsewhere = stage.elsewhere();
  {
    using apart = await elsewhere.connect(ann.on(elsewhere), s1);
    await apart.person.edit(rectangle(`e-${t.random.word(6)}`));
    await apart.flush();
  }
  const rows = (await rowsOf(stage)).length;
  t.equal(await s2.node.compact(stage.document), rows, "compact() tells how many rows it removed");
  t.equal(await rowsOf(stage), [], "the rows that are in the snapshot are removed");
  t.equal((await rowsOf(elsewhere)).length, 1, "and none of another document");
  t.equal(await s2.node.compact(stage.document), 0, "compacted again, there is nothing to remove");
  const last = await ann.edit(rectangle(`z-${t.random.word(6)}`));
  await onS1.flush("a push after the compaction is acknowledged");
  t.step("bob comes back, and somebody who never was there");
  using back = await stage.connect(bob, s2);
  t.ok(back.all("snapshot").length === 1, "who lacks compacted changes is sent one snapshot", {
    expected: "1 snapshot",
    received: `${back.all("snapshot").length}`,
  });
  const upTo = back.all("snapshot")[0]?.version.ann ?? 0;
  t.ok(upTo === last.seq - 1 || upTo === last.seq, "a snapshot says how far it goes", {
    expected: `${last.seq - 1} of ann's changes were compacted, and one came after these`,
    received: `${upTo}`,
  });
  await back.flush("what bob made while he was away is acknowledged");
  await onS1.has("bob", 2, "ann gets what bob made while he was away");
  await back.has("ann", last.seq, "bob gets what ann did meanwhile");
  using _newcomer = await stage.connect(cid, s1);
  const all = { ann: last.seq, bob: 2 };
  const complete = "who comes new has everything by the time that it is synced";
  t.equal(await cid.replica.version(stage.document), all, complete);
  const view = await ann.view();
  t.equal(await bob.view(), view, "who was away sees the same as who was there");
  t.equal(await cid.view(), view, "snapshot and tail come to the same as all the changes");
  const ids = view.shapes.map(({ id }) => id);
  t.ok(
    !ids.includes(gone) && ids.includes(mine) && ids.includes(kept),
    "nothing is lost or back again",
    {
      expected: `${kept} and ${mine}, and no ${gone}`,
      received: ids.join(", "),
    },
  );
  t.equal(await s1.node.verifyLog(stage.document), null, "what is left of the log is sound");
  await ann.edit(typing(kept, "on"));
  await onS1.flush("who was there all the time goes on");
  await back.has("ann", last.seq + 1, "and is heard");
  t.step("what was compacted is pushed again; who has everything comes again");
  const again = await onS1.push([first]);
  t.ok(typeof again === "number", "what was pushed before is acknowledged again", {
    expected: "acked",
    received: String(again),
  });
  const stored = (await rowsOf(stage)).filter(({ actor }) => actor === "ann");
  const seqs = stored.map(({ seq }) => seq);
  t.equal(seqs, [last.seq, last.seq + 1], "and is not stored once more");
  {
    using whole = await stage.connect(ann, s1);
    const told = whole.frames.map(({ type }) => type);
    t.equal(told, ["synced"], "who lacks nothing is told nothing, snapshots neither");
  }
  await isOvertaken(stage, [ann, onS1], [bob, back], s2);
}

/** While ann's server is cut off, what she lacks is compacted by the other one. */
async function isOvertaken(
  stage: Stage,
  [ann, onS1]: readonly [Person, Client],
  [bob, onS2]: readonly [Person, Client],
  s2: ServerNode,
): Promise<void> {
  const { t } = stage;
  t.step("server s1 is cut off; meanwhile bob pushes on s2, which compacts");
  {
    await using cut = await t.inject("postgres", blackHole, { nodes: ["s1"] });
    await t.inject("postgres", resetConnections, { nodes: ["s1"] });
    await bob.edit(rectangle(`o-${t.random.word(6)}`));
    await onS2.flush("the other server goes on");
    await s2.node.compact(stage.document);
    await cut.heal();
  }
  await onS1.has("bob", 3, "who was there all the time gets what was compacted meanwhile");
  await bob.edit(rectangle(`p-${t.random.word(6)}`));
  await onS2.flush();
  await onS1.has("bob", 4, "and what comes after it");
  await onS1.taken();
  t.equal(await ann.view(), await bob.view(), "both see the same");
  t.equal(onS1.closedWith, undefined, "and the connection stays");
}

/** A compaction and a push, one of them held back. */
async function meets(
  stage: Stage,
  { s1, s2, nth, held, ...people }: Scene & { readonly nth: number; readonly held: ServerNode },
): Promise<void> {
  const { t, document } = stage;
  const ann = people.ann.on(stage);
  const cid = people.cid.on(stage);
  using onS1 = await stage.connect(ann, s1);
  await ann.edit(rectangle(`a-${t.random.word(6)}`));
  await onS1.flush("what ann adds is acknowledged");
  await ann.edit(rectangle(`b-${t.random.word(6)}`));
  const [first, second] =
    held === s2 ? (["the compaction", "a push"] as const) : (["a push", "the compaction"] as const);
  t.step(`${first} is held at message ${nth}, and ${second} goes ahead`);
  const push = () => onS1.flush("what is pushed during a compaction is acknowledged");
  const compact = async () => void (await s2.node.compact(document));
  using gate = t.hold("postgres", { node: held.name, match: /./, nth });
  const slow = held === s2 ? compact() : push();
  // One that waits for a lock is waited for below.
  slow.catch(() => {});
  await Promise.race([gate.held, slow]);
  const quick = held === s2 ? push() : compact();
  await Promise.race([quick, new Promise((resolve) => setTimeout(resolve, 200))]);
  gate.release();
  await Promise.all([slow, quick]);
  using newcomer = await stage.connect(cid, s2);
  await newcomer.has("ann", 2, "what was pushed during a compaction is there for who comes new");
  t.equal(await cid.view(), await ann.view(), "who comes new sees the same");
  t.equal(await s2.node.verifyLog(document), null, "the log is sound after a compaction");
  await ann.edit(rectangle(`c-${t.random.word(6)}`));
  await onS1.flush("what ann adds after the compaction is acknowledged");
  const rows = (await rowsOf(stage)).length;
  const count = await s1.node.compact(document);
  t.equal(count, rows, "compact() tells how many rows it removed, the second time as well");
  using last = await stage.connect(people.bob.on(stage), s2);
  t.equal(await last.person.view(), await ann.view(), "a second compaction loses nothing either");
}
