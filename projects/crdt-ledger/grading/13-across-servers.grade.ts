import { blackHole } from "@db-katas/engines/faults/blackHole";
import { resetConnections } from "@db-katas/engines/faults/resetConnections";
import { type Client, type Person, rectangle, Stage, typing } from "./clients.ts";
import { check, type LedgerContext } from "./kit.ts";

/** More than a notification holds, in characters. */
const LONG = 20_000;

export default check({
  title: "what is pushed on one server reaches those who are on another one, large or after a cut",
  points: 5,
  concept: "fan-out",
  traps: [
    "notify-payload",
    "notify-is-all",
    "points-elsewhere",
    "points-everywhere",
    "tells-all-rooms",
  ],
  engines: { postgres: { faults: [blackHole, resetConnections] } },
  nodes: ["s1", "s2", "ann", "bob"],
  hints: [
    "How does a server learn that another one has stored something? How large may that message be?",
    "A notification goes to those who listen at that moment. Who has lost the connection for a second?",
    "Notify that there is something, and read it from the table. Look there as well whenever the connection is new, and now and then.",
  ],
  async run(t) {
    const stage = new Stage(t);
    const [s1, s2] = await Promise.all([stage.server("s1"), stage.server("s2")]);
    const [ann, bob] = await Promise.all([stage.person("ann"), stage.person("bob")]);
    using onS1 = await stage.connect(ann, s1);
    using onS2 = await stage.connect(bob, s2);
    const elsewhere = stage.elsewhere();
    using apart = await elsewhere.connect(bob.on(elsewhere), s2);
    const shape = `a-${t.random.word(6)}`;
    await pushed(
      t,
      [ann, onS1],
      onS2,
      () => ann.edit(rectangle(shape)),
      "what ann adds reaches bob",
    );
    const answer = () => bob.edit(typing(shape, "hello"));
    await pushed(t, [bob, onS2], onS1, answer, "what bob types reaches ann");
    const long = () => ann.edit(typing(shape, t.random.word(LONG)));
    await pushed(
      t,
      [ann, onS1],
      onS2,
      long,
      `a text of ${LONG} characters reaches the other server`,
    );

    t.step("cursors are told across servers, and on the one that they are on");
    using beside = await stage.connect(bob, s1, { takes: false });
    const cursor = { type: "cursor", x: t.random.int(1, 999), y: t.random.int(1, 999) } as const;
    onS1.send(cursor);
    await onS2.until(
      () => onS2.all("cursor").length > 0,
      "a cursor reaches those on other servers",
    );
    t.equal(onS2.all("cursor")[0], { ...cursor, actor: "ann" }, "a cursor says whose it is");
    await beside.until(() => beside.all("cursor").length > 0, "and those on the same one");
    t.equal(beside.all("cursor")[0], { ...cursor, actor: "ann" }, "a cursor says whose it is");
    t.equal(onS1.all("cursor"), [], "nobody is told of their own cursor");

    t.step("server s2 loses its connections to PostgreSQL; ann pushes before it has new ones");
    {
      await using cut = await t.inject("postgres", blackHole, { nodes: ["s2"] });
      await t.inject("postgres", resetConnections, { nodes: ["s2"] });
      const missed = await ann.edit(rectangle(`m-${t.random.word(6)}`));
      t.equal(await onS1.push([missed]), missed.seq, "the other server goes on");
      await cut.heal();
      await onS2.has("ann", missed.seq, "what was pushed while s2 listened to nobody reaches bob");
    }
    const later = () => ann.edit(rectangle(`l-${t.random.word(6)}`));
    await pushed(t, [ann, onS1], onS2, later, "and so does what comes later");
    t.equal(onS2.seqsOf("ann"), [1, 2, 3, 4], "each change comes once on a connection");
    t.equal(await bob.view(), await ann.view(), "both see the same");
    t.equal(onS2.closedWith, undefined, "bob's connection stays all the time");
    const told = apart.frames.map(({ type }) => type);
    t.equal(told, ["synced"], "who is on another document hears nothing of this one");
  },
});

async function pushed(
  t: LedgerContext,
  [person, from]: readonly [Person, Client],
  to: Client,
  edit: () => ReturnType<Person["edit"]>,
  what: string,
): Promise<void> {
  const { seq } = await edit();
  t.equal(await from.push(person.outbox), seq, "a push is acknowledged");
  await to.has(person.actor, seq, what);
}
