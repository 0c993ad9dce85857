import {
  type Client,
  fromWire,
  type Person,
  perhaps,
  RECOVERY_MS,
  rectangle,
  type ServerNode,
  Stage,
  typing,
} from "./clients.ts";
import { check, type LedgerContext } from "./kit.ts";
import { commitLate } from "./late-commit.ts";

/** More messages than one push has of its own; what a server asks now and then counts as well. */
const MOST_MESSAGES = 9;
/** How long the one who isn't held may be kept waiting by the one who is, in milliseconds. */
const LOCKED_MS = 300;
/** More rows than are read at a time, by most. */
const MANY = 600;
/** How many of them are looked at one by one: those of two people in turn. */
const ONE_BY_ONE = 20;
/** How many are pushed at a time. */
const AT_ONCE = 100;

export default check({
  title: "what is stored late is not missed by those who have read what was stored after it",
  points: 5,
  concept: "ordering",
  traps: [
    "after-id",
    "echoes-the-sender",
    "tells-all-again",
    "first-page",
    "by-actor",
    "synced-first",
    "never-their-own",
  ],
  engines: { postgres: {} },
  nodes: ["s1", "s2", "ann", "bob", "cid"],
  hints: [
    "Two servers insert at the same moment. Which of the rows is seen first: the one with the lower id?",
    "A sequence gives its numbers before the commit. Who asks for what came after 8 never sees a 7 that comes late. What would make the order of the numbers the order of the commits?",
  ],
  async run(t) {
    const stage = new Stage(t);
    const [s1, s2] = await Promise.all([stage.server("s1"), stage.server("s2")]);
    const [ann, bob] = await Promise.all([stage.person("ann"), stage.person("bob")]);
    using onS1 = await stage.connect(ann, s1);
    using onS2 = await stage.connect(bob, s2);
    let reached = true;
    let rounds = 0;
    for (let nth = 1; nth <= MOST_MESSAGES && reached; nth++) {
      rounds = nth;
      t.step(`server s1 is held at message ${nth} of what ann pushes; bob pushes through s2`);
      const held = await ann.edit(rectangle(`a${nth}-${t.random.word(6)}`));
      const other = await bob.edit(rectangle(`b${nth}-${t.random.word(6)}`));
      using gate = t.hold("postgres", { node: "s1", match: /./, nth });
      const late = onS1.post([held]);
      const what = "a push is answered";
      const answered = onS1.until(() => onS1.answer(late) !== undefined, what);
      reached = await Promise.race([gate.held.then(() => true), answered.then(() => false)]);
      const early = onS2.post([other]);
      await perhaps(() => onS2.answer(early) !== undefined, LOCKED_MS);
      t.step("bob's is there; what ann has pushed goes on");
      gate.release();
      await answered;
      await onS2.until(() => onS2.answer(early) !== undefined, what);
      t.equal(onS1.answer(late)?.type, "acked", "what was held is acknowledged");
      t.equal(onS2.answer(early)?.type, "acked", "what was not held is acknowledged");
      await onS2.has("ann", held.seq, "who is there all the time gets what was stored late");
      await onS1.has("bob", other.seq, "and the other one gets what was stored early", RECOVERY_MS);
    }
    const all = Array.from({ length: rounds }, (_, i) => i + 1);
    t.equal(
      onS2.seqsOf("ann"),
      all,
      "each change comes once on a connection, in its actor's order",
    );
    t.equal(
      onS1.seqsOf("bob"),
      all,
      "each change comes once on a connection, in its actor's order",
    );
    t.equal(onS1.seqsOf("ann"), [], "nobody is sent what they have pushed on that connection");
    await commitsLate(t, [ann, onS1], [bob, onS2]);
    t.equal(await bob.view(), await ann.view(), "both see the same");
    await comesNew(t, stage, { s1, ann, onS1, bob });
  },
});

/**
 * PostgreSQL itself keeps ann's commit waiting, when her row has all that it will have. However often a server
 * asks meanwhile, whatever it numbers: bob's row is there first.
 */
async function commitsLate(
  t: LedgerContext,
  [ann, onS1]: readonly [Person, Client],
  [bob, onS2]: readonly [Person, Client],
): Promise<void> {
  t.step("the commit of what ann pushes takes long; bob pushes meanwhile");
  await using commits = await commitLate(t, "ann");
  const held = await ann.edit(rectangle(`late-${t.random.word(6)}`));
  const other = await bob.edit(rectangle(`soon-${t.random.word(6)}`));
  const late = onS1.post([held]);
  await perhaps(() => onS1.answer(late) !== undefined, LOCKED_MS);
  t.equal(onS1.answer(late), undefined, "nothing is acknowledged before its commit");
  const early = onS2.post([other]);
  await perhaps(() => onS2.answer(early) !== undefined, LOCKED_MS);
  await perhaps(() => onS1.seqsOf("bob").includes(other.seq), LOCKED_MS);
  await commits.release();
  await onS1.until(() => onS1.answer(late) !== undefined, "a push is answered");
  await onS2.until(() => onS2.answer(early) !== undefined, "a push is answered");
  await onS2.has("ann", held.seq, "who is there all the time gets what was committed late");
  await onS1.has("bob", other.seq, "and the other one gets what was committed early");
}

/** Whoever has all of it is told nothing, whoever has nothing is told all of it. */
async function comesNew(
  t: LedgerContext,
  stage: Stage,
  { s1, ann, onS1, bob }: { s1: ServerNode; ann: Person; onS1: Client; bob: Person },
): Promise<void> {
  t.step("bob comes again, who has all there is");
  using again = await stage.connect(bob, s1);
  t.equal(
    [again.seqsOf("ann"), again.seqsOf("bob")],
    [[], []],
    "who lacks nothing is told nothing",
  );
  t.step(`ann makes ${MANY} changes more, and cid comes new`);
  ann.outbox = [];
  const shape = `m-${t.random.word(6)}`;
  await ann.edit(rectangle(shape));
  while (ann.outbox.length < MANY) await ann.edit(typing(shape, "x"));
  while (ann.outbox.length > 0) {
    const some = ann.outbox.slice(0, AT_ONCE);
    t.equal(await onS1.push(some), some.at(-1)?.seq, "many changes are acknowledged at once");
  }
  const cid = await stage.person("cid");
  using newcomer = await stage.connect(cid, s1, { takes: false });
  const types = newcomer.frames.map(({ type }) => type);
  t.equal(types.indexOf("synced"), types.length - 1, "synced comes after what a client lacks");
  const changes = newcomer.all("changes").flatMap((frame) => frame.changes.map(fromWire));
  let count = 0;
  for (const change of changes.slice(0, ONE_BY_ONE)) {
    await cid.replica.receive(stage.document, [change]);
    count += 1;
    const known = Object.values(await cid.replica.version(stage.document));
    const counted = known.reduce((sum, seq) => sum + seq, 0);
    t.equal(counted, count, "each change comes after those that its actor had seen");
  }
  await cid.replica.receive(stage.document, changes.slice(ONE_BY_ONE));
  const complete = "who comes new has been told everything by the time that it is synced";
  const all = await ann.replica.version(stage.document);
  t.equal(await cid.replica.version(stage.document), all, complete);
  t.equal(await cid.view(), await ann.view(), "and sees the same");
  t.step("ann comes with another device, which has nothing");
  using device = await stage.open(s1, await stage.token({ sub: "ann" }), ann);
  device.takes = false;
  device.send({ type: "hello", version: {} });
  await device.until(() => device.all("synced").length > 0, "another device is let in as well");
  const next = await ann.edit(typing(shape, "y"));
  await onS1.flush();
  const own = "another device is told what ann has made, before and from then on";
  await device.until(() => device.seqsOf("ann").at(-1) === next.seq, own);
  t.equal(device.seqsOf("ann").length, next.seq, own);
}
