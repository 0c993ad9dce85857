import { setTimeout as wait } from "node:timers/promises";
import { kill } from "@db-katas/engines/faults/kill";
import { checkSet, History, type SetOp } from "@db-katas/grading";
import type { SessionNode } from "../contract.ts";
import {
  check,
  isDefinite,
  type SessionContext,
  STALENESS_MS,
  sessionInput,
  startTwoNodes,
} from "./kit.ts";

const CLIENTS_PER_NODE = 2;

export default check({
  title: "under load, killing Redis loses no session and turns nobody away",
  points: 5,
  concept: "failover",
  traps: ["no-fallback"],
  engines: { postgres: {}, redis: { faults: [kill] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "Every operation that touches Redis can fail at any moment. Which of yours has no other way?",
    "While PostgreSQL lives, an error of Redis is never the user's: fall back inside the same request.",
    "A socket error that nobody listens to ends a Node process. Listen.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const history = new History<SetOp>({ isDefinite });
    const phase = async (rounds: number) => {
      await Promise.all(
        [a, b].flatMap((node, index) =>
          Array.from({ length: CLIENTS_PER_NODE }, (_, client) =>
            oneClient(t, history, `${index === 0 ? "a" : "b"}${client}`, node, [a, b], rounds),
          ),
        ),
      );
    };
    t.step("load while all is well");
    await phase(4);
    t.step("kill Redis in the middle of the load");
    const before = phase(t.random.int(8, 12));
    // It may fail while the fault is still being injected; it is awaited below.
    before.catch(() => {});
    const outage = await t.inject("redis", kill);
    await before;
    t.step("load while Redis is down");
    await phase(4);
    t.step("Redis comes back in the middle of the load");
    const during = phase(t.random.int(8, 12));
    during.catch(() => {});
    await outage.heal();
    await during;

    t.step("S later, read every session on both nodes");
    await wait(STALENESS_MS);
    for (const { value } of history.operations.filter(({ op }) => op === "add")) {
      for (const [name, node] of [["a", a] as const, ["b", b] as const]) {
        await history.record(
          `${name}-end`,
          "read",
          value,
          async () => (await node.get(value)) !== null,
        );
      }
    }
    t.historyHolds(
      checkSet(history.operations),
      "what was acknowledged is there, and what was ended is not",
    );
  },
});

/** Opens a session, reads it on some node, and half of the time ends it and reads again. */
async function oneClient(
  t: SessionContext,
  history: History<SetOp>,
  name: string,
  node: SessionNode,
  nodes: readonly SessionNode[],
  rounds: number,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    // The id is known only when create() answers; a create that fails leaves nothing to look for.
    const session = await node.create(sessionInput(t));
    await history.record(name, "add", session.id, async () => undefined);
    const read = () =>
      history.record(
        name,
        "read",
        session.id,
        async () => (await t.random.pick(nodes).get(session.id)) !== null,
      );
    await read();
    if (t.random.int(0, 1) === 0) continue;
    await history.record(name, "remove", session.id, () => node.destroy(session.id));
    // Within S another node may still see it while Redis can't be told: ask the one that knows.
    await history.record(
      name,
      "read",
      session.id,
      async () => (await node.get(session.id)) !== null,
    );
  }
}
