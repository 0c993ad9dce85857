import type pg from "pg";
import { asAdmin, rectangle, rowsOf, type ServerNode, Stage } from "./clients.ts";
import { check, type LedgerContext } from "./kit.ts";

/** How many changes there are. */
const ROWS = 8;
/** Where nothing ever is. */
const AWAY = 1_000_000_000;

export default check({
  title: "whoever alters, removes or swaps what is in the log is found out",
  points: 4,
  concept: "tamper evidence",
  traps: ["hash-of-itself", "hash-of-some", "forgets-the-end", "remembers-the-log"],
  engines: { postgres: {} },
  nodes: ["s1", "s2", "ann"],
  hints: [
    "Each row's hash is right, and yet one is missing. What would have to be in a hash to tell?",
    "Hash the hash of the row before as well. And the last row, whose hash is in no other one: where is it written down that it was there?",
  ],
  async run(t) {
    const stage = new Stage(t);
    const s1 = await stage.server("s1");
    const ann = await stage.person("ann");
    using onS1 = await stage.connect(ann, s1);
    const fill = async () => {
      for (let i = 0; i < ROWS; i++) await ann.edit(rectangle(`a-${t.random.word(10)}`));
      for (const change of ann.outbox) await onS1.push([change]);
    };
    t.equal(
      await s1.node.verifyLog(`${stage.document}-2`),
      null,
      "a document without a log is sound",
    );
    await fill();
    await tamper(t, stage, s1);
    t.step("the log is compacted, and goes on");
    t.equal(
      await s1.node.compact(stage.document),
      ROWS,
      "compact() tells how many rows it removed",
    );
    t.equal(
      await s1.node.verifyLog(stage.document),
      null,
      "a log whose rows were compacted is sound",
    );
    await fill();
    // This one has stored none of it.
    const s2 = await stage.server("s2");
    await tamper(t, stage, s2);
  },
});

/** Each way of it, on a log that is sound before and after. */
async function tamper(t: LedgerContext, stage: Stage, s1: ServerNode): Promise<void> {
  const { document } = stage;
  const positions = (await rowsOf(stage)).map(({ position }) => position);
  t.equal(positions.length, ROWS, "each change has a row");
  const at = t.random.int(1, ROWS - 3);
  const [row, next, last] = [positions[at], positions[at + 1], positions.at(-1)] as [
    number,
    number,
    number,
  ];
  const [first] = positions as [number];
  const alter = `UPDATE operations SET bytes = set_byte(bytes, 0, get_byte(bytes, 0) # 1)
    WHERE document = $1 AND position = $2`;
  const move = "UPDATE operations SET position = $3 WHERE document = $1 AND position = $2";
  const remove = "DELETE FROM operations WHERE document = $1 AND position = $2";
  const anywhere = positions;
  await asAdmin(t, async (client) => {
    // A table that refuses this is none the worse for it; but whoever owns it can do as they like.
    await client.query("ALTER TABLE operations DISABLE TRIGGER USER");
    const say = (text: string, ...values: number[]) => client.query(text, [document, ...values]);
    const ways: Record<string, [() => Promise<unknown>, readonly number[]]> = {
      "a byte of a row is altered": [() => say(alter, row), [row]],
      "a byte of the last row is altered": [() => say(alter, last), [last]],
      "a row is said to be somebody else's": [
        () => say("UPDATE operations SET actor = 'eve' WHERE document = $1 AND position = $2", row),
        [row],
      ],
      "a row is said to be another one of its actor's": [
        () =>
          say("UPDATE operations SET seq = seq + 1000 WHERE document = $1 AND position = $2", row),
        [row],
      ],
      "the hash of a row is altered": [
        () => say(alter.replaceAll("bytes", "hash"), row),
        [row, next],
      ],
      "all rows are removed": [
        () => client.query("DELETE FROM operations WHERE document = $1", [document]),
        [...anywhere, last + 1],
      ],
      "a row is removed": [() => say(remove, row), [row, next]],
      "the first row is removed": [() => say(remove, first), positions.slice(0, 2)],
      // Nothing comes after it that could be the first one to be wrong.
      "the last row is removed": [() => say(remove, last), [...anywhere, last + 1]],
      "two rows are swapped": [
        async () => {
          await say(move, row, AWAY);
          await say(move, next, row);
          await say(move, AWAY, next);
        },
        [row],
      ],
    };
    for (const [what, [act, expected]] of Object.entries(ways)) {
      t.step(what);
      const before = await client.query("SELECT * FROM operations WHERE document = $1", [document]);
      await act();
      const found = await s1.node.verifyLog(document);
      t.ok(found !== null && expected.includes(Number(found)), `verifyLog() tells where ${what}`, {
        expected: `position ${[...new Set(expected)].join(" or ")}`,
        received: String(found),
      });
      await restore(client, document, before.rows);
      t.equal(await s1.node.verifyLog(document), null, "a log that is as it was written is sound");
    }
    await client.query("ALTER TABLE operations ENABLE TRIGGER USER");
  });
}

/** The rows as they were, whatever columns they have. */
async function restore(
  client: pg.Client,
  document: string,
  rows: readonly object[],
): Promise<void> {
  await client.query("DELETE FROM operations WHERE document = $1", [document]);
  for (const row of rows) {
    const names = Object.keys(row);
    const list = names.map((name) => client.escapeIdentifier(name)).join(", ");
    const places = names.map((_, i) => `$${i + 1}`).join(", ");
    await client.query(
      `INSERT INTO operations (${list}) OVERRIDING SYSTEM VALUE VALUES (${places})`,
      Object.values(row),
    );
  }
}
