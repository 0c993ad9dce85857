import { check, oddData, sessionInput, startTwoNodes } from "./kit.ts";

export default check({
  title: "a session opened on one node is there on the other",
  points: 2,
  concept: "contract",
  traps: ["migrates-once"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  hints: [
    "Two nodes share nothing but PostgreSQL and Redis. What does node b know about a session that node a made?",
    "Begin with PostgreSQL alone: one table, one insert, one select. Redis can wait until task 3.",
    "migrate runs with each deployment, not once in a lifetime: `create table if not exists`, or a table that remembers which migrations were applied.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    for (const [opener, reader] of [
      [a, b],
      [b, a],
    ] as const) {
      const input = {
        ...sessionInput(t),
        userId: `O'Brien ü ${t.random.word()}`,
        data: oddData(t),
      };
      const created = await opener.create(input);
      t.equal(created.version, 1, "a new session has version 1");
      t.equal(created.userId, input.userId, "create() returns the session's user");
      t.equal(created.data, input.data, "create() returns the session's data");
      t.equal(await opener.get(created.id), created, "the node that opened it reads it");
      t.equal(await reader.get(created.id), created, "the other node reads it");
    }
    t.equal(await a.get("no-such-session-id-anywhere"), null, "an unknown id is no session");

    t.step("the next deployment calls migrate again, while the nodes are at work");
    const kept = await a.create(sessionInput(t));
    const postgres = await t.lease("postgres").urlFor("migrate");
    await t.migrate({ kind: "polyglot", postgres });
    const untouched = "migrating again leaves every session where it was";
    for (const node of [b, a]) {
      // Redis may still know the session: who lists devices asks PostgreSQL.
      t.equal((await node.list(kept.userId)).length, 1, untouched);
      t.equal(await node.get(kept.id), kept, untouched);
    }
    const next = await b.create(sessionInput(t));
    t.equal(await a.get(next.id), next, "and the nodes go on as before");
  },
});
