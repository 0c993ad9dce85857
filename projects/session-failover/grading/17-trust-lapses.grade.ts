import { setTimeout as wait } from "node:timers/promises";
import { blackHole } from "@db-katas/engines/faults/blackHole";
import { SubmissionError } from "@db-katas/grading";
import type { SessionNode } from "../contract.ts";
import { check, readThrough, SLACK_MS, STALENESS_MS, sessionInput, startNodes } from "./kit.ts";
import { untilBackOnRedis } from "./outage.ts";

/** b's calls end in this time, so that S is met whatever they wait for, in milliseconds. */
const CALL_MS = 400;
/** How long b may take to reach PostgreSQL, at first or again, in milliseconds. */
const RECOVERY_MS = 3_000;
/** How long b is asked when it must not serve the session any more, in milliseconds. */
const WATCHED_MS = 500;
const ROUNDS = 3;

export default check({
  title: "a node that can't ask PostgreSQL stops believing Redis within S",
  points: 3,
  concept: "fail closed",
  traps: ["trust-never-lapses"],
  engines: { postgres: { faults: [blackHole] }, redis: { faults: [blackHole] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "Node b reaches Redis, and PostgreSQL no more. What is the newest thing that it can know?",
    "What was true less than S ago is good enough. What was true earlier is not: fail closed.",
  ],
  async run(t) {
    const [[a], [b]] = (await Promise.all([
      startNodes(t, ["a"]),
      startNodes(t, ["b"], CALL_MS),
    ])) as [[SessionNode], [SessionNode]];
    for (let round = 1; round <= ROUNDS; round++) {
      const session = await a.create(sessionInput(t));
      await readThrough(session.id, a);
      // b has little time for a call, and in its first one it connects.
      await t.eventually(
        RECOVERY_MS,
        () => b.get(session.id),
        (seen) => seen !== null,
        "b reads what a opened",
        "the session",
      );
      // A node that is still on its way to Redis has nothing yet that it could go on believing.
      await untilBackOnRedis(t, [b], ["b"]);
      // As often as a node that caches needs. A busy machine may take longer than b's calls have.
      let served = 0;
      await t.eventually(
        RECOVERY_MS,
        async () => (await answerOf(b, session.id)) === "the session" && ++served >= 3,
        (enough) => enough,
        "b reads what a opened, again and again",
        "the session, three times",
      );
      t.step("b loses PostgreSQL, a loses Redis; the user logs out on a");
      const bIsDeaf = await t.inject("postgres", blackHole, { nodes: ["b"] });
      const aIsMute = await t.inject("redis", blackHole, { nodes: ["a"] });
      await a.destroy(session.id);
      const answers = await watch(b, session.id);
      const late = answers.find(
        ({ after, answer }) => after > STALENESS_MS + SLACK_MS && answer === "the session",
      );
      t.ok(!late, "b doesn't serve a session that ended more than S ago", {
        expected: "STORE_UNAVAILABLE, or null",
        received: `the session, when asked ${late?.after.toFixed(0)} ms after it had ended`,
      });
      t.step("both are whole again");
      await Promise.all([bIsDeaf.heal(), aIsMute.heal()]);
      await t.eventually(
        RECOVERY_MS,
        () => answerOf(b, session.id),
        (answer) => answer === "null",
        "the session is over",
        "null",
      );
      // Unless b believed Redis for a while, nothing was tried: a slow moment may have warned it.
      if (answers.some(({ answer }) => answer === "the session")) return;
    }
  },
});

/** Asks the node all the time from now on, if it can be seen to believe Redis at all. */
async function watch(node: SessionNode, id: string): Promise<{ after: number; answer: Answer }[]> {
  const begin = performance.now();
  const asked: Promise<{ after: number; answer: Answer }>[] = [];
  let believes = false;
  for (;;) {
    const after = performance.now() - begin;
    const isOver = after > STALENESS_MS + SLACK_MS + WATCHED_MS;
    if (isOver || (!believes && after > CALL_MS)) return Promise.all(asked);
    asked.push(
      answerOf(node, id).then((answer) => {
        believes ||= answer === "the session";
        return { after, answer };
      }),
    );
    await wait(50);
  }
}

type Answer = "null" | "the session" | "STORE_UNAVAILABLE";

async function answerOf(node: SessionNode, id: string): Promise<Answer> {
  try {
    return (await node.get(id)) === null ? "null" : "the session";
  } catch (error) {
    if (error instanceof SubmissionError && error.code === "STORE_UNAVAILABLE") return error.code;
    throw error;
  }
}
