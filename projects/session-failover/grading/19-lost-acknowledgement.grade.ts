import { resetConnections } from "@db-katas/engines/faults/resetConnections";
import type { Session, SessionNode } from "../contract.ts";
import { atEachMessage, expectSettled, resultOf } from "./interleave.ts";
import { check, type SessionContext, sessionInput, someData, startTwoNodes } from "./kit.ts";

/** How long nodes may take to connect to PostgreSQL again, in milliseconds. */
const RECOVERY_MS = 3_000;

interface Write<T> {
  readonly does: string;
  run(a: SessionNode, session: Session): Promise<T>;
  /** When it was acknowledged all the same. */
  holds(t: SessionContext, nodes: readonly SessionNode[], before: Session, after: T): Promise<void>;
}

export default check({
  title: "a write whose acknowledgement is lost is not refused as if it had never happened",
  points: 3,
  concept: "durability",
  traps: ["retried-blindly", "pool-without-listener"],
  engines: { postgres: { faults: [resetConnections] }, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "The connection to PostgreSQL broke after the write was sent. Did it happen? Who can know?",
    "Sent again, an update meets the version that it made itself, a rotation finds the old id gone, and a count comes out as none.",
    "NOT_FOUND and VERSION_CONFLICT say for certain that nothing was written. Who can't recognise its own work says STORE_UNAVAILABLE; only what may run twice is run twice.",
  ],
  async run(t) {
    const nodes = await startTwoNodes(t);
    const [a, b] = nodes;
    const change = { data: someData(t), expectedVersion: 1 };
    const update: Write<Session> = {
      does: "changes a session",
      run: (node, { id }) => node.update(id, change),
      async holds(t, nodes, { id }, after) {
        t.equal(after.version, 2, "an update makes version 2");
        await expectSettled(t, nodes, id, after, "an update that was acknowledged is there");
      },
    };
    const rotate: Write<Session> = {
      does: "gives a session a new id",
      run: (node, { id }) => node.rotate(id),
      async holds(t, nodes, { id }, after) {
        await expectSettled(t, nodes, id, null, "an id rotated away is dead");
        await expectSettled(t, nodes, after.id, after, "the new id works");
      },
    };
    const destroyAll: Write<number> = {
      does: "ends a user's only session",
      run: (node, { userId }) => node.destroyAll(userId),
      async holds(t, nodes, { id }, ended) {
        t.equal(ended, 1, "destroyAll() tells how many sessions there were");
        await expectSettled(t, nodes, id, null, "what destroyAll() ended is dead");
      },
    };
    const create: Write<Session> = {
      does: "opens a second session of a user",
      run: (node, { userId }) => node.create({ ...sessionInput(t), userId }),
      async holds(t, nodes, { userId }, after) {
        await expectSettled(t, nodes, after.id, after, "a session that was opened is there");
        const devices = await nodes[1]?.list(userId);
        t.equal(devices?.length, 2, "opening a session once opens one");
      },
    };
    const lose = async <T>(write: Write<T>) => {
      const place = { engine: "postgres", node: "a", direction: "reply", lost: true } as const;
      await atEachMessage(t, place, async (interleave) => {
        const session = await b.create(sessionInput(t));
        t.step(`a ${write.does}, and its connection breaks before PostgreSQL's answer arrives`);
        const [outcome] = await interleave(
          () => write.run(a, session),
          async () => {},
        );
        const what = "who can't know whether a write happened doesn't say that it didn't";
        const after = resultOf(t, outcome, [], what);
        if (after !== undefined) await write.holds(t, nodes, session, after);
      });
    };
    await lose(update);
    await lose(rotate);
    await lose(destroyAll);
    await lose(create);
    t.step("every connection to PostgreSQL breaks while nobody uses it");
    const session = await b.create(sessionInput(t));
    await t.inject("postgres", resetConnections);
    for (const node of nodes) {
      await t.eventually(
        RECOVERY_MS,
        () => node.list(session.userId),
        (devices) => devices.length === 1,
        "a node outlives its connections to PostgreSQL",
        "the user's device",
      );
    }
  },
});
