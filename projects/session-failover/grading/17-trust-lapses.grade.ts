import { setTimeout as wait } from "node:timers/promises";
import { blackHole } from "@db-katas/engines/faults/blackHole";
import { SubmissionError } from "@db-katas/grading";
import {
  check,
  readThrough,
  SLACK_MS,
  STALENESS_MS,
  sessionInput,
  startTwoNodes,
  untilBackOnRedis,
} from "./kit.ts";

/** b's calls end in this time, so that S is met whatever they wait for, in milliseconds. */
const CALL_MS = 400;

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
    const [a, b] = await startTwoNodes(t, CALL_MS);
    const session = await a.create(sessionInput(t));
    await readThrough(session.id, a, b);
    // A node that is still on its way to Redis has nothing yet that it could go on believing.
    await untilBackOnRedis(t, [b], ["b"]);
    await readThrough(session.id, b);
    t.step("b loses PostgreSQL, a loses Redis; the user logs out on a");
    const bIsDeaf = await t.inject("postgres", blackHole, { nodes: ["b"] });
    const aIsMute = await t.inject("redis", blackHole, { nodes: ["a"] });
    await a.destroy(session.id);
    const refuses = async () => {
      try {
        return (await b.get(session.id)) === null ? "null" : "the session";
      } catch (error) {
        if (error instanceof SubmissionError && error.code === "STORE_UNAVAILABLE")
          return error.code;
        throw error;
      }
    };
    const safe = (answer: string) => answer !== "the session";
    const what = "b doesn't serve a session that ended more than S ago";
    await t.eventually(STALENESS_MS + SLACK_MS, refuses, safe, what, "STORE_UNAVAILABLE, or null");
    // One refusal may have other reasons: a slow moment of Redis, say. It has to stay that way.
    const later = await Promise.all(
      Array.from({ length: 14 }, async (_, i) => {
        await wait(i * 50);
        return refuses();
      }),
    );
    t.ok(later.every(safe), `${what}, and then again`, {
      expected: "STORE_UNAVAILABLE, or null",
      received: "the session",
    });
    t.step("both are whole again");
    await Promise.all([bIsDeaf.heal(), aIsMute.heal()]);
    await t.eventually(
      3_000,
      refuses,
      (answer) => answer === "null",
      "the session is over",
      "null",
    );
  },
});
