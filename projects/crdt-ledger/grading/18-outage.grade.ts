import { blackHole } from "@db-katas/engines/faults/blackHole";
import { kill } from "@db-katas/engines/faults/kill";
import { perhaps, RECOVERY_MS, rectangle, Stage } from "./clients.ts";
import { connectAgain } from "./connect-again.ts";
import { check } from "./kit.ts";

/** What servers are told that a request may wait, in milliseconds. */
const BUDGET_MS = 1_000;
/** Room for a busy machine, in milliseconds. What hangs, hangs for seconds. */
const SLACK_MS = 1_000;

export default check({
  title: "a server that can't reach PostgreSQL says so in time, and goes on once it can",
  points: 4,
  concept: "latency budget",
  traps: ["waits-for-ever", "tells-first"],
  engines: { postgres: { faults: [blackHole, kill] } },
  nodes: ["s1", "s2", "ann", "bob"],
  timing: true,
  hints: [
    "A partition breaks no connection and reports no error. What are you waiting for?",
    "A connection of pg waits for ever, for itself and for an answer, unless it is told otherwise; and so does everybody who waits for their turn behind it.",
  ],
  async run(t) {
    const stage = new Stage(t);
    const options = { requestBudgetMs: BUDGET_MS };
    const [s1, s2] = await Promise.all([stage.server("s1", options), stage.server("s2", options)]);
    const [ann, bob] = await Promise.all([stage.person("ann"), stage.person("bob")]);
    using onS1 = await connectAgain(t, stage, ann, s1);
    using onS2 = await connectAgain(t, stage, bob, s2);
    await ann.edit(rectangle(`a-${t.random.word(6)}`));
    await onS1.flush();
    await onS2.has("ann", 1, "bob gets what ann added");
    using beside = await connectAgain(t, stage, bob, s1);
    beside.takes = false;
    const limit = BUDGET_MS + SLACK_MS;
    t.step("server s1 is cut off from PostgreSQL");
    {
      await using cut = await t.inject("postgres", blackHole, { nodes: ["s1"] });
      const changes = [
        await ann.edit(rectangle(`b-${t.random.word(6)}`)),
        await ann.edit(rectangle(`c-${t.random.word(6)}`)),
      ];
      // The second one waits for its turn behind the first one.
      const ids = changes.map((change) => onS1.post([change]));
      const stranger = await stage.open(s1, await stage.token({ sub: "bob" }), bob);
      stranger.send({ type: "hello", version: {} });
      const { node } = s1;
      const calls = [node.compact(stage.document), node.verifyLog(stage.document)];
      await Promise.all([
        onS1.until(() => ids.every((id) => onS1.answer(id)), "a push is refused in time", limit),
        stranger.until(() => stranger.closedWith !== undefined, "a hello is let go in time", limit),
        ...calls.map(async (call) => {
          const what = "a call is refused in time when PostgreSQL can't be reached";
          await t.within(limit, () => call, what);
          await t.rejects(call, "STORE_UNAVAILABLE", what);
        }),
      ]);
      for (const id of ids) {
        const { type, ...answer } = onS1.answer(id) ?? { type: "none" };
        const code = "code" in answer ? answer.code : type;
        t.equal(code, "STORE_UNAVAILABLE", "a push without PostgreSQL is refused as such");
      }
      t.equal(stranger.closedWith, 1013, "a hello without PostgreSQL is let go with 1013");
      t.equal(onS1.closedWith, undefined, "who was there stays");
      const heard = beside.seqsOf("ann").filter((seq) => seq > 1);
      t.equal(heard, [], "nobody hears of what nobody knows to be stored");
      await bob.edit(rectangle(`d-${t.random.word(6)}`));
      await onS2.flush("the other server goes on");
      await cut.heal();
    }
    await onS1.flush("once PostgreSQL is there again, what was refused is acknowledged");
    await onS1.has("bob", 1, "and what others did meanwhile comes");
    await onS2.has("ann", 3, "on both servers");
    t.step("PostgreSQL is killed, and comes back");
    const crash = await t.inject("postgres", kill);
    const change = await ann.edit(rectangle(`e-${t.random.word(6)}`));
    const refused = onS1.post([change]);
    await perhaps(() => onS1.answer(refused) !== undefined, limit);
    const answer = onS1.answer(refused);
    t.ok(
      answer?.type === "refused" && answer.code === "STORE_UNAVAILABLE",
      "a push is refused in time",
      {
        expected: "refused: STORE_UNAVAILABLE",
        received: JSON.stringify(answer ?? null),
      },
    );
    await crash.heal();
    await onS1.flush("after the crash, what was refused is acknowledged");
    await onS2.has("ann", 4, "and comes to who has been there all the time", RECOVERY_MS);
    t.equal(await bob.view(), await ann.view(), "both see the same");
  },
});
