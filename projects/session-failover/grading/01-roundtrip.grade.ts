import {
  check,
  expectDevices,
  expectRead,
  readThrough,
  sessionInput,
  someData,
  startTwoNodes,
} from "./kit.ts";

export default check({
  title: "a session opened on one node lives its whole life on another",
  points: 3,
  concept: "contract",
  traps: ["cached-in-the-process"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["open-and-read"],
  hints: [
    "Which of update, touch, destroy and list still answers from what one node alone knows?",
    "Follow one session through create, get, update, touch, list and destroy with two processes and no cache at all; add Redis when that works.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const input = sessionInput(t);

    const created = await a.create(input);

    t.step("update on b, read on a");
    const data = someData(t);
    const updated = await b.update(created.id, { data, expectedVersion: 1 });
    t.equal(updated.version, 2, "an update makes it version 2");
    await expectRead(t, a, created.id, updated, "a reads what b wrote");

    t.step("touch on a, read on b");
    const touched = await a.touch(created.id, 3_600_000);
    t.ok(touched.expiresAt > updated.expiresAt, "touch() moves the expiry", {
      expected: `an expiresAt after ${updated.expiresAt}`,
      received: String(touched.expiresAt),
    });
    await expectRead(t, b, created.id, touched, "b reads the session that a touched");

    t.step("list, destroy and look again");
    const { userId } = input;
    for (const node of [a, b])
      await expectDevices(t, node, userId, [input.device], "list() tells the user's devices");
    const second = await b.create({ ...sessionInput(t), userId, device: "kiosk" });
    const oldestFirst = "list() tells them oldest first, also what another node has just opened";
    for (const node of [a, b])
      await expectDevices(t, node, userId, [input.device, "kiosk"], oldestFirst);
    await readThrough(second.id, a, b);
    await readThrough(created.id, a, b);
    await a.destroy(created.id);
    await expectRead(t, b, created.id, null, "a destroyed session is gone on the other node");
    const notListed = "a device that was logged out on one node is not listed by the other";
    await expectDevices(t, b, userId, ["kiosk"], notListed);
    await b.destroy(created.id);
    t.equal(await a.destroyAll(userId), 1, "destroyAll() tells how many sessions there were");
    await expectRead(t, b, second.id, null, "destroyAll() ends the sessions of that user");
    for (const node of [b, a]) await expectDevices(t, node, userId, [], "and none is listed");
    await t.rejects(a.touch(created.id, 1_000), "NOT_FOUND", "touching a dead session is refused");
  },
});
