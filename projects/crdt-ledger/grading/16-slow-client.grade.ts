import { type Client, rectangle, type ServerNode, Stage, typing } from "./clients.ts";
import { check, type LedgerContext } from "./kit.ts";
import { takenUnread } from "./unread.ts";

/** How many bytes the text of a change has; a change that is written more tightly may have fewer. */
const CHANGE = 60_000;
/** Of a character: libraries take their time for each of them, and this is about bytes. */
const BYTES = 3;
const IN_BASE64 = 4 / 3;
/** How much more is pushed than this machine and the server may keep for who doesn't read, in bytes. */
const MORE = 2_000_000;
/** Room for what this machine takes, which is not the same each time, in bytes. */
const SLACK = 1_000_000;
/** Of a server's limit for those who wait, in bytes. */
const BACKLOG = 1_024 * 1_024;
/** How many pushes are on their way at a time. */
const WINDOW = 4;

export default check({
  title: "one who doesn't read costs the server no more than the limit, and the others nothing",
  points: 5,
  concept: "back-pressure",
  traps: ["buffers-it-all", "limit-of-its-own", "leaves-out", "answers-at-once"],
  engines: { postgres: {} },
  nodes: ["s1", "ann", "bob", "cid"],
  hints: [
    "send() returns at once. Where is what the other side has not read yet?",
    "`bufferedAmount` tells how much waits. What do you do when it grows and grows? Who can always come back with a hello?",
  ],
  async run(t) {
    const stage = new Stage(t);
    const limits = { changeBytes: 128 * 1_024, frameBytes: 1_024 * 1_024, backlogBytes: BACKLOG };
    const s1 = await stage.server("s1", { limits });
    const [ann, bob] = await Promise.all([stage.person("ann"), stage.person("bob")]);
    const cid = await stage.person("cid");
    using onS1 = await stage.connect(ann, s1);
    // It is about who reads, not about what replicas make of it.
    using reader = await stage.connect(bob, s1, { takes: false });
    using dozer = await stage.connect(cid, s1, { takes: false });
    using sleeper = await stage.connect(cid, s1, { takes: false });
    const shape = (i: number) => `a-${i}`;
    await ann.edit(rectangle(shape(0)));
    await onS1.flush();
    t.step("cid stops reading on two devices; ann types, and bob reads on");
    const unread = await takenUnread();
    dozer.pause();
    sleeper.pause();
    const text = Array.from({ length: CHANGE / BYTES }, () =>
      String.fromCharCode(t.random.int(0x4e00, 0x9fff)),
    ).join("");
    const ids: number[] = [];
    let last = 0;
    for (let volume = 0; volume < unread + BACKLOG + MORE; last++) {
      // Each text goes with the next one: the board stays small, and what goes over the wire doesn't.
      const change = await ann.edit(
        { kind: "delete", shape: shape(last) },
        rectangle(shape(last + 1)),
        typing(shape(last + 1), text.slice(last) + text.slice(0, last)),
      );
      volume += IN_BASE64 * change.bytes.length;
      ids.push(onS1.post([change]));
      const waiting = ids.at(-WINDOW);
      const what = "a push is answered while somebody else doesn't read";
      if (waiting) await onS1.until(() => onS1.answer(waiting) !== undefined, what);
    }
    await onS1.until(
      () => ids.every((id) => onS1.answer(id)?.type === "acked"),
      "all is acknowledged",
    );
    const seqs = Array.from({ length: last + 1 }, (_, i) => i + 1);
    const all = "who reads gets everything while somebody else doesn't";
    await reader.until(() => reader.seqsOf("ann").at(-1) === last + 1, all);
    t.equal(reader.seqsOf("ann"), seqs, all);
    t.equal(reader.closedWith, undefined, "and keeps the connection");
    t.step("cid reads again on one device, and on a third one says hello and reads nothing");
    await readsAgain(t, dozer, seqs);
    using newcomer = await stage.open(s1, await stage.token({ sub: "cid" }), cid);
    newcomer.takes = false;
    newcomer.pause();
    newcomer.send({ type: "hello", version: {} });
    using again = await stage.connect(cid, s1);
    const caughtUp = "with a hello, they have caught up by the time that they are synced";
    t.equal(await cid.replica.version(stage.document), { ann: last + 1 }, caughtUp);
    t.equal(again.closedWith, undefined, "and stay");
    t.equal(await cid.view(), await ann.view(), "and see the same as who has made it");
    t.step("the server says goodbye; then those read who haven't until now");
    const kept = await keptFor([sleeper, newcomer], s1, reader);
    const granted = unread + BACKLOG + SLACK;
    for (const [i, whose] of ["who was there", "who has said hello"].entries()) {
      t.ok((kept[i] ?? 0) <= granted, `what ${whose} doesn't read isn't kept, beyond the limit`, {
        expected: `at most ${granted} bytes: ${unread} that this machine takes, and the limit`,
        received: `${kept[i]} bytes were kept for somebody who reads nothing`,
      });
    }
  },
});

/** Somebody for whom nothing more is kept has to come back; somebody who is told the rest as they read needn't. */
async function readsAgain(t: LedgerContext, client: Client, seqs: readonly number[]) {
  client.resume();
  const isTold = () => client.seqsOf("ann").length >= seqs.length;
  const what = "whoever didn't read is told to come back, or all the rest";
  await client.until(() => client.closedWith !== undefined || isTold(), what);
  if (client.closedWith === undefined) t.equal(client.seqsOf("ann"), seqs, what);
  else t.equal(client.closedWith, 1013, "whoever didn't read is told to come back, with 1013");
}

/**
 * What was on its way to those who don't read, in bytes. A server that is being closed reads nothing more for
 * anybody, so that what comes then has been kept.
 */
async function keptFor(clients: readonly Client[], server: ServerNode, reader: Client) {
  const goodbye = server.node.close();
  await reader.until(() => reader.closedWith !== undefined, "a server that is closed says goodbye");
  for (const client of clients) client.resume();
  for (const client of clients) {
    await client.until(() => client.closedWith !== undefined, "a server that is closed lets go");
  }
  await goodbye;
  return clients.map((client) =>
    client
      .all("changes")
      .flatMap(({ changes }) => changes)
      .reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
}
