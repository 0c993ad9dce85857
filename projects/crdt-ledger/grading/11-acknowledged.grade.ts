import { blackHole } from "@db-katas/engines/faults/blackHole";
import { kill } from "@db-katas/engines/faults/kill";
import { resetConnections } from "@db-katas/engines/faults/resetConnections";
import type { Change } from "../contract.ts";
import {
  type Person,
  perhaps,
  RECOVERY_MS,
  rectangle,
  rowsOf,
  type ServerNode,
  Stage,
} from "./clients.ts";
import { connectAgain } from "./connect-again.ts";
import { check, type LedgerContext } from "./kit.ts";
import { commitLate } from "./late-commit.ts";

/** More messages than one push has of its own; what a server asks now and then counts as well. */
const MOST_MESSAGES = 4;
/** How long a push may wait where it meets a death: it need not be answered. */
const UNANSWERED_MS = 200;
/** How long a commit takes: some acknowledge what is on its way for so long. */
const COMMIT_MS = 700;

export default check({
  title:
    "what is acknowledged survives the death of the server and of PostgreSQL, and is stored once",
  points: 6,
  concept: "durability",
  traps: [
    "acks-first",
    "acks-soon",
    "commits-lazily",
    "stored-twice",
    "stored-by-both",
    "starts-over",
    "hangs-up",
    "tells-first",
  ],
  engines: { postgres: { faults: [kill, blackHole, resetConnections] } },
  nodes: ["s1", "s2", "ann", "bob"],
  hints: [
    "At the moment of the `acked`, where is the change? If everything but PostgreSQL died now?",
    "A client that hears nothing pushes again, maybe to another server. What tells it that the row is there?",
    "Commit first. Then send `acked`. A unique key over document, actor and seq finds what comes again.",
  ],
  async run(t) {
    const stage = new Stage(t);
    const [s1, s2] = await Promise.all([stage.server("s1"), stage.server("s2")]);
    const [ann, bob] = await Promise.all([stage.person("ann"), stage.person("bob")]);
    let last = await commitsLate(t, stage, s1, { ann, bob });
    for (let nth = 1; nth <= MOST_MESSAGES; nth++) {
      t.step(`server s1 dies at message ${nth} to PostgreSQL of what ann pushes`);
      ({ seq: last } = await serverDies(t, stage, { s1, s2, ann, bob, nth }));
    }
    for (let nth = 1; nth <= MOST_MESSAGES; nth++) {
      t.step(`ann pushes one change on both servers, and s1 is held at message ${nth}`);
      ({ seq: last } = await pushedTwice(t, stage, { s1, s2, ann, nth }));
    }
    await rowsAreOnce(t, stage, last);
    t.step("PostgreSQL is killed while ann pushes");
    using onS1 = await stage.connect(ann, s1);
    const ids: number[] = [];
    for (let i = 0; i < 20; i++) {
      const change = await ann.edit(rectangle(`k${i}-${t.random.word(6)}`));
      last = change.seq;
      ids.push(onS1.post([change]));
    }
    await onS1.until(() => onS1.all("acked").length > 0, "a push is acknowledged");
    const crash = await t.inject("postgres", kill);
    await crash.heal();
    const acked = Math.max(0, ...onS1.all("acked").map(({ seq }) => seq));
    using onS2 = await connectAgain(t, stage, bob, s2);
    await onS2.has(
      "ann",
      acked,
      "what was acknowledged before PostgreSQL was killed is there afterwards",
    );
    using again = await connectAgain(t, stage, ann, s1);
    await again.flush("sent again after the crash, every change is acknowledged");
    await onS2.has("ann", last, "and the others get all of it");
    t.equal(await bob.view(), await ann.view(), "all see the same after the crash");
    await rowsAreOnce(t, stage, last);
    t.step("migrate() is called again, and server s1 is closed while ann pushes");
    await t.migrate(await t.lease("postgres").urlFor("s1"));
    await rowsAreOnce(t, stage, last);
    const change = await ann.edit(rectangle(`c-${t.random.word(6)}`));
    const id = again.post([change]);
    await s1.node.close();
    await again.until(() => again.closedWith !== undefined, "a server that is closed says goodbye");
    t.equal(again.closedWith, 1001, "a server that is closed says goodbye, with 1001");
    if (again.answer(id)?.type === "acked") {
      await onS2.has("ann", change.seq, "what it acknowledged until then is there");
    }
    t.equal(onS2.closedWith, undefined, "the other one goes on");
  },
});

/** What isn't committed isn't there, however long it has been on its way. @returns the number of the change */
async function commitsLate(
  t: LedgerContext,
  stage: Stage,
  s1: ServerNode,
  { ann, bob }: Pick<Death, "ann" | "bob">,
) {
  t.step("PostgreSQL takes its time for the commit of what ann pushes");
  using onS1 = await stage.connect(ann, s1);
  using beside = await stage.connect(bob, s1, { takes: false });
  await using commits = await commitLate(t, "ann");
  const { seq } = await ann.edit(rectangle(`w-${t.random.word(6)}`));
  const id = onS1.post(ann.outbox);
  await perhaps(() => onS1.answer(id) !== undefined, COMMIT_MS);
  t.equal(onS1.answer(id), undefined, "nothing is acknowledged before its commit");
  t.equal(beside.seqsOf("ann"), [], "nobody else hears of it before its commit");
  await commits.release();
  await onS1.flush("after its commit, a push is acknowledged");
  await beside.until(() => beside.seqsOf("ann").includes(seq), "and then others hear of it");
  return seq;
}

interface Death {
  readonly s1: ServerNode;
  readonly s2: ServerNode;
  readonly ann: Person;
  readonly bob: Person;
  readonly nth: number;
}

/** One push through server s1, which dies at a message of it; then the same through s2. */
async function serverDies(t: LedgerContext, stage: Stage, { s1, s2, ann, bob, nth }: Death) {
  using doomed = await connectAgain(t, stage, ann, s1);
  const change = await ann.edit(rectangle(`d${nth}-${t.random.word(6)}`));
  // Odd ones die before PostgreSQL hears of it, even ones before the answer comes.
  const direction = nth % 2 === 1 ? "request" : "reply";
  using gate = t.hold("postgres", { node: "s1", direction, match: /./, nth: Math.ceil(nth / 2) });
  const id = doomed.post([change]);
  const answered = doomed
    .until(() => doomed.answer(id) !== undefined, "", RECOVERY_MS)
    .catch(() => {});
  await Promise.race([gate.held, answered]);
  await using cut = await t.inject("postgres", blackHole, { nodes: ["s1"] });
  gate.drop();
  await t.inject("postgres", resetConnections, { nodes: ["s1"] });
  await perhaps(() => doomed.answer(id) !== undefined, UNANSWERED_MS);
  const acked = doomed.answer(id)?.type === "acked";
  doomed.vanish();
  using onS2 = await stage.connect(bob, s2);
  if (acked) {
    const known = (await bob.replica.version(bob.document)).ann ?? 0;
    t.ok(known >= change.seq, "what s1 acknowledged before it died is on the other server", {
      expected: `${change.seq} changes of ann`,
      received: `${known}`,
    });
  }
  using annOnS2 = await stage.connect(ann, s2);
  await annOnS2.flush("sent again to the other server, a change is acknowledged");
  t.equal(await annOnS2.push([change]), change.seq, "sent once more, it is acknowledged again");
  await onS2.has("ann", change.seq, "and others get it");
  t.equal(await bob.view(), await ann.view(), "both see the same");
  await cut.heal();
  return change;
}

/** One push through both servers at once. One of them may be told that it is there, and not know why. */
async function pushedTwice(
  t: LedgerContext,
  stage: Stage,
  { s1, s2, ann, nth }: Omit<Death, "bob">,
): Promise<Change> {
  using onS1 = await connectAgain(t, stage, ann, s1);
  using onS2 = await stage.connect(ann, s2);
  const change = await ann.edit(rectangle(`t${nth}-${t.random.word(6)}`));
  using gate = t.hold("postgres", { node: "s1", match: /./, nth });
  const slow = onS1.post([change]);
  const answered = onS1.until(() => onS1.answer(slow) !== undefined, "a push is answered");
  await Promise.race([gate.held, answered]);
  const quick = onS2.post([change]);
  await perhaps(() => onS2.answer(quick) !== undefined, UNANSWERED_MS);
  gate.release();
  await answered;
  await onS2.until(() => onS2.answer(quick) !== undefined, "a push is answered");
  await onS1.flush("pushed on two servers at once, a change is acknowledged");
  return change;
}

async function rowsAreOnce(t: LedgerContext, stage: Stage, seqs: number): Promise<void> {
  const stored = (await rowsOf(stage)).filter(({ actor }) => actor === "ann");
  const expected = Array.from({ length: seqs }, (_, i) => i + 1);
  t.equal(
    stored.map(({ seq }) => seq).sort((a, b) => a - b),
    expected,
    "each change has one row, however often it was sent",
  );
}
