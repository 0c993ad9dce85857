import { perhaps, RECOVERY_MS, rectangle, Stage } from "./clients.ts";
import { check } from "./kit.ts";

/** More messages than one push has of its own; what a server asks now and then counts as well. */
const MOST_MESSAGES = 9;
/** How long the one who isn't held may be kept waiting by the one who is, in milliseconds. */
const LOCKED_MS = 300;

export default check({
  title: "what is stored late is not missed by those who have read what was stored after it",
  points: 5,
  concept: "ordering",
  traps: ["after-id", "echoes-the-sender"],
  engines: { postgres: {} },
  nodes: ["s1", "s2", "ann", "bob"],
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
    t.equal(await bob.view(), await ann.view(), "both see the same");
  },
});
