import { SubmissionError } from "@db-katas/grading";
import { atEachMessage, expectSettled, resultOf } from "./interleave.ts";
import { check, expectRead, sessionInput, startTwoNodes } from "./kit.ts";

const ROUNDS = 6;
const WRITERS = 8;

export default check({
  title: "of concurrent updates that expect the same version, exactly one wins",
  points: 3,
  concept: "optimistic concurrency",
  traps: ["last-write-wins", "check-then-act"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "Who compares the version, and can anything happen between the comparison and the write?",
    "Let the database compare and write in one statement, and look at how many rows it changed.",
    "The same goes for a user who is not there yet: two requests look, and both find nobody. Insert, and let a conflict be no error.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const session = await a.create(sessionInput(t));
    for (let round = 1; round <= ROUNDS; round++) {
      t.step(`round ${round}: ${WRITERS} writers expect version ${round}`);
      const outcomes = await Promise.allSettled(
        Array.from({ length: WRITERS }, (_, writer) =>
          (writer % 2 === 0 ? a : b).update(session.id, {
            data: { round, writer },
            expectedVersion: round,
          }),
        ),
      );
      const winners = outcomes.flatMap((outcome, writer) =>
        outcome.status === "fulfilled" ? [{ writer, session: outcome.value }] : [],
      );
      t.equal(winners.length, 1, "exactly one update of a version succeeds");
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") continue;
        if (!(outcome.reason instanceof SubmissionError)) throw outcome.reason;
        t.equal(outcome.reason.code, "VERSION_CONFLICT", "the others are told VERSION_CONFLICT");
      }
      for (const node of [a, b]) {
        const won = { data: { round, writer: winners[0]?.writer ?? -1 }, version: round + 1 };
        await expectRead(t, node, session.id, won, "both nodes read the winner's data");
      }
    }
    for (const [name, slow, quick] of [
      ["a", a, b],
      ["b", b, a],
    ] as const) {
      await atEachMessage(t, { engine: "postgres", node: name }, async (interleave) => {
        const { id } = await slow.create(sessionInput(t));
        t.step(`${name} is stopped on its way to PostgreSQL; the other expects the same version`);
        const [first, second] = await interleave(
          () => slow.update(id, { data: { by: "the one that was stopped" }, expectedVersion: 1 }),
          () => quick.update(id, { data: { by: "the other" }, expectedVersion: 1 }),
        );
        const told = "who lost is told VERSION_CONFLICT";
        const won = [first, second].map((each) => resultOf(t, each, ["VERSION_CONFLICT"], told));
        const winners = won.filter((session) => session !== undefined);
        t.ok(winners.length <= 1, "at most one update of a version succeeds", {
          expected: "one success",
          received: `${winners.length} successes`,
        });
        for (const winner of winners) {
          const what = "both nodes read the winner's data";
          await expectSettled(t, [quick, slow], id, winner, what);
        }
      });
    }
    await atEachMessage(t, { engine: "postgres", node: "a" }, async (interleave) => {
      const { userId } = sessionInput(t);
      t.step("a opens a new user's first session and is stopped; b opens one for the same user");
      const opened = await interleave(
        () => a.create({ ...sessionInput(t), userId, device: "one tab" }),
        () => b.create({ ...sessionInput(t), userId, device: "another tab" }),
      );
      for (const outcome of opened) {
        // STORE_UNAVAILABLE would be wrong as well: it was stopped for a fraction of its budget.
        if (outcome.status === "rejected") throw outcome.reason;
        const { id, version } = outcome.value;
        const there = "both of a new user's first sessions are there";
        for (const node of [a, b]) t.equal((await node.get(id))?.version, version, there);
      }
      t.equal((await b.list(userId)).length, 2, "and both are listed");
    });
  },
});
