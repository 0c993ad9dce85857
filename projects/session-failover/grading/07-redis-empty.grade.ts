import { restartEmpty } from "@db-katas/engines/faults/restartEmpty";
import { check, sessionInput, someData, startTwoNodes } from "./kit.ts";
import { untilBackOnRedis } from "./outage.ts";

export default check({
  title: "nobody is logged out when Redis comes back empty",
  points: 3,
  concept: "durability",
  traps: ["miss-means-logged-out"],
  engines: { postgres: {}, redis: { faults: [restartEmpty] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "Redis answers, quickly and without an error, that it knows nothing.",
    "A miss in the fast tier is a question, not an answer: ask PostgreSQL.",
    async (t) => {
      const { default: pg } = await import("pg");
      const client = new pg.Client({ connectionString: t.lease("postgres").adminUrl });
      await client.connect();
      const { rows } = await client.query<{ relname: string; n: string }>(
        "select relname, n_live_tup as n from pg_stat_user_tables order by n_live_tup desc limit 3",
      );
      await client.end();
      const tables = rows.map(({ relname, n }) => `${relname} (${n} rows)`).join(", ");
      return `Right now PostgreSQL holds: ${tables || "no table at all"}. Redis was emptied.`;
    },
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const sessions = await Promise.all(
      Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? a : b).create(sessionInput(t))),
    );
    const updated = await Promise.all(
      sessions.map((session, i) =>
        (i % 2 === 0 ? b : a).update(session.id, { data: someData(t), expectedVersion: 1 }),
      ),
    );
    t.step("Redis restarts with nothing in it");
    await t.inject("redis", restartEmpty);
    await untilBackOnRedis(t, [a, b]);
    for (const session of updated) {
      for (const node of [a, b]) {
        t.equal(await node.get(session.id), session, "the session is as it was before");
      }
    }
  },
});
