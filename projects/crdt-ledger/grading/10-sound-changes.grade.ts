import { isDeepStrictEqual } from "node:util";
import { SubmissionError } from "@db-katas/grading";
import type { Change, Edit, Properties, Replica, Shape } from "../contract.ts";
import {
  add,
  check,
  drawn,
  idsOf,
  type LedgerContext,
  meet,
  sameView,
  shapeIn,
  startReplica,
  startReplicas,
} from "./kit.ts";

export default check({
  title:
    "a change that its actor can't have made is refused; sound ones come in any order, also after a save",
  points: 4,
  concept: "authenticity",
  traps: [
    "poisoned",
    "rebuilt-from-content",
    "believes-anybody",
    "one-identity",
    "whoever-came-first",
    "load-replaces",
    "gives-everything",
    "gives-by-actor",
    "waits-for-the-forged",
    "waits-for-one",
    "keeps-what-is-refused",
    "load-forgets",
    "counts-its-own",
  ],
  engines: {},
  nodes: ["ada", "bob", "cleo", "late", "eve-as-ada", "eve"],
  dependsOn: ["alone"],
  hints: [
    "Who says that a change is Ada's? What in its bytes says it, too?",
    "Try a change on a copy, or be able to go back: what is refused must leave nothing behind.",
    "A document that is rebuilt from what it shows has other operations in it. What do late changes refer to?",
  ],
  async run(t) {
    const [ada, bob, cleo] = (await startReplicas(t, ["ada", "bob", "cleo"])) as [
      Replica,
      Replica,
      Replica,
    ];
    const document = t.random.word();
    const first = await ada.edit(document, [
      add(t, "note"),
      { kind: "insert", shape: "note", at: 0, text: "base" },
    ]);
    await bob.receive(document, [first]);
    const second = await bob.edit(document, [{ kind: "insert", shape: "note", at: 4, text: "!" }]);
    const third = await ada.edit(document, [{ kind: "insert", shape: "note", at: 0, text: "1" }]);
    const before = await ada.view(document);

    t.step("broken, mislabelled and forged changes");
    const [middle, end] = [second.bytes.length >> 1, second.bytes.length];
    const flipped = second.bytes.slice();
    const where = t.random.int(middle, end - 1);
    flipped[where] = (flipped[where] ?? 0) ^ (1 << t.random.int(0, 7));
    const elsewhere = await bob.edit(t.random.word(), [add(t, "stray")]);
    // Nobody is to be known by their name.
    const eve = t.random.word(6);
    const eveAsAda = await startReplica(t, eve, { name: "eve-as-ada" });
    const eves = await eveAsAda.edit(document, [add(t, "eves")]);
    const rich = await startReplica(t, eve, { name: "eve", treasurer: eve });
    const forgedMoney = await rich.edit(document, [
      { kind: "issue", account: "cash", amount: 500 },
    ]);
    const broken: [string, Change][] = [
      ["cut short", { ...second, bytes: second.bytes.slice(0, middle) }],
      ["without bytes", { ...second, bytes: new Uint8Array() }],
      ["one bit flipped", { ...second, bytes: flipped }],
      ["bytes of somebody's own", { ...second, bytes: new TextEncoder().encode("drop table") }],
      ["bob's, said to be cleo's", { ...second, actor: "cleo" }],
      ["eve's, said to be bob's", { ...eves, actor: "bob" }],
      ["numbered wrongly", { ...third, seq: 1 }],
      ["numbered 0", { ...second, seq: 0 }],
      ["bob's, of another document", elsewhere],
      ["money of somebody who isn't the treasurer", forgedMoney],
    ];
    for (const [, change] of t.random.shuffle(broken)) {
      for (const sent of [[change], [second, change]]) {
        const refused = "a change that its actor can't have made is refused";
        await t.rejects(ada.receive(document, sent), "INVALID_CHANGE", refused);
        const what = "with one of them, none is taken";
        t.equal(await ada.view(document), before, what);
        t.equal(await ada.version(document), { ada: 2 }, what);
      }
    }
    await ada.receive(document, [second]);
    t.equal(shapeIn(await ada.view(document), "note")?.text, "1base!", "what is sound still comes");

    t.step("in reverse, each twice: what had seen another waits for it");
    for (const change of [third, second, third]) await cleo.receive(document, [change, change]);
    t.equal(await cleo.view(document), { shapes: [], balances: {} }, "nothing can take effect yet");
    t.equal(await cleo.version(document), {}, "and the version counts nothing of it");
    await cleo.receive(document, [first]);
    t.equal(await cleo.version(document), { ada: 2, bob: 1 }, "with the first, all of it is there");
    await cleo.receive(document, [first, second, third]);
    await bob.receive(document, [third]);
    await sameView(t, document, [ada, bob, cleo]);

    t.step("somebody begins with what ada saved, while bob was away and typing");
    const away = [
      await bob.edit(document, [{ kind: "insert", shape: "note", at: 5, text: "-late-" }]),
      await bob.edit(document, [add(t, "new", { above: "note" })]),
    ];
    await ada.edit(document, [{ kind: "insert", shape: "note", at: 1, text: "2" }]);
    await ada.edit(document, [add(t, "gone"), { kind: "delete", shape: "gone" }]);
    const saved = await ada.save(document);
    const late = await startReplica(t, "late");
    await late.load(document, saved);
    await sameView(t, document, [ada, late], "who loads sees what was saved");
    t.equal(await late.version(document), await ada.version(document), "and has all its changes");
    await t.rejects(late.changesSince(document, {}), "INVALID_CHANGE", "but not one by one");
    await late.receive(document, away.toReversed());
    await late.receive(document, [first, second, third]);
    const known = await late.version(document);
    await late.load(document, saved);
    t.equal(await late.version(document), known, "a piece that comes again takes nothing away");
    await late.edit(document, [{ kind: "set", shape: "note", properties: { x: 5_005 } }]);
    const cut = saved.slice(0, saved.length >> 1);
    await t.rejects(
      late.load(document, cut),
      "INVALID_CHANGE",
      "a part of what was saved is refused",
    );
    const counterfeit = late.load(document, await rich.save(document));
    await t.rejects(counterfeit, "INVALID_CHANGE", "and so is a document with forged money in it");
    const view = await meet(t, document, [ada, bob, late]);
    const text = shapeIn(view, "note")?.text;
    t.equal(text, "12base-late-!", "late changes meet what they were made on");
    t.equal(idsOf(view.shapes), ["note", "new"], "nothing is doubled, nothing comes back");
    await cleo.load(document, await late.save(document));
    await sameView(t, document, [cleo, late], "a piece may come to one who has some of it");

    await elsewhereMade(t, [eveAsAda, rich, bob]);
    await oneByOne(t, [ada, bob, cleo, late, rich]);

    t.step("two take one id for two shapes, each unseen by the other one, and go on with them");
    const twice = t.random.word();
    const made: Change[] = [];
    const drawings: Properties[] = [];
    for (const [i, one] of [ada, bob].entries()) {
      const drawing = drawn(t);
      drawings.push(drawing);
      made.push(
        await one.edit(twice, [
          { kind: "add", shape: "same", parent: null, above: null, properties: drawing },
        ]),
      );
      const text = `text ${i}`;
      made.push(await one.edit(twice, [{ kind: "insert", shape: "same", at: 0, text }]));
    }
    await cleo.receive(twice, made);
    await late.receive(twice, [...made.slice(2), ...made.slice(0, 2)]);
    const both = await meet(t, twice, [ada, bob, cleo, late]);
    t.equal(idsOf(both.shapes), ["same"], "one of them is there, the same one everywhere");
    const { id: _, children: __, ...seen } = shapeIn(both, "same") as Shape;
    const whole = drawings.map((properties, i) => ({ ...properties, text: `text ${i}` }));
    const isWhole = whole.some((one) => isDeepStrictEqual(one, seen));
    t.ok(isWhole, "all of one of them, and nothing of the other one", {
      expected: whole.map((one) => JSON.stringify(one)).join(" or "),
      received: JSON.stringify(seen),
    });
    await ada.edit(twice, [{ kind: "delete", shape: "same" }]);
    const gone = await meet(t, twice, [ada, bob, cleo, late]);
    t.equal(gone.shapes, [], "and when it is deleted, the other one isn't there instead");
  },
});

/** An actor has two devices; what they have made on the one comes to the other, change by change or as one piece. */
async function elsewhereMade(
  t: LedgerContext,
  [first, second, other]: readonly [Replica, Replica, Replica],
): Promise<void> {
  t.step("somebody loads, on another device, what they have made, and goes on there");
  const document = t.random.word();
  const made = [
    await first.edit(document, [add(t, "note")]),
    await first.edit(document, [{ kind: "insert", shape: "note", at: 0, text: "1" }]),
  ];
  const { actor } = made[0] as Change;
  await second.receive(document, made.slice(0, 1));
  await second.load(document, await first.save(document));
  const next = await second.edit(document, [{ kind: "insert", shape: "note", at: 1, text: "2" }]);
  const numbered = "who has loaded what they have made goes on with the next number";
  t.equal([next.actor, next.seq], [actor, made.length + 1], numbered);
  await first.receive(document, [next]);
  await other.receive(document, [...made, next]);
  const view = await sameView(t, document, [first, second, other]);
  t.equal(shapeIn(view, "note")?.text, "12", "and everybody takes it");
}

/** What is asked for is given, each after what it had seen; something forged among what waits holds up nobody. */
async function oneByOne(
  t: LedgerContext,
  [ada, bob, cleo, late, fresh]: readonly [Replica, Replica, Replica, Replica, Replica],
): Promise<void> {
  t.step("bob and ada answer each other; somebody asks for what they lack");
  const document = t.random.word();
  const made: Change[] = [];
  const saved: Uint8Array[] = [];
  for (const [i, one] of [bob, ada, bob, ada, bob].entries()) {
    const edit = i === 0 ? add(t, "note") : typing(i);
    made.push(await one.edit(document, [edit]));
    saved.push(await one.save(document));
    for (const other of [ada, bob])
      if (other !== one) await other.receive(document, made.slice(-1));
  }
  await cleo.receive(document, t.random.shuffle(made));
  const version = { ada: 2, bob: 3 };
  t.equal(await cleo.version(document), version, "whoever has got all of it has it");
  t.equal(namesOf(await cleo.changesSince(document, version)), [], "who has all lacks nothing");
  const lacking = namesOf(await cleo.changesSince(document, { bob: 1, ada: 1 }));
  t.equal(lacking, ["bob:2", "ada:2", "bob:3"], "who lacks some is given these");

  t.step("a change that is numbered wrongly comes before all others");
  const [first, second, third, fourth, fifth] = made as [Change, Change, Change, Change, Change];
  await refusedOrKept(t, late.receive(document, [{ ...fourth, seq: 3 }]));
  let count = 0;
  for (const change of await cleo.changesSince(document, {})) {
    await late.receive(document, [change]);
    count += 1;
    const counted = Object.values(await late.version(document)).reduce((sum, seq) => sum + seq, 0);
    t.equal(counted, count, "each takes effect at once, coming after those that it had seen");
  }
  t.equal(await late.version(document), version, "and all are there, with nothing forged");
  t.step("changes that wait: with a broken one, beside one that is numbered alike, across a load");
  const broken = { ...fourth, bytes: fourth.bytes.slice(0, fourth.bytes.length >> 1) };
  const none = "with one of them, none is taken";
  await t.rejects(fresh.receive(document, [second, broken]), "INVALID_CHANGE", none);
  await refusedOrKept(t, fresh.receive(document, [{ ...fifth, seq: 2 }]));
  await fresh.receive(document, [third]);
  await fresh.load(document, saved[0] as Uint8Array);
  t.equal(await fresh.version(document), { bob: 1 }, none);
  await fresh.receive(document, [second]);
  const waited = "what waits does so across a load, whatever else is called alike";
  t.equal(await fresh.version(document), { ada: 1, bob: 2 }, waited);
  for (const change of [fifth, fourth, first]) await fresh.receive(document, [change]);
  t.equal(await fresh.version(document), version, waited);
  await sameView(t, document, [ada, bob, cleo, late, fresh]);
}

/** Whoever can tell already that it is forged refuses it; whoever can't keeps it until they can. */
async function refusedOrKept(t: LedgerContext, received: Promise<void>): Promise<void> {
  try {
    await received;
  } catch (error) {
    if (!(error instanceof SubmissionError)) throw error;
    t.equal(error.code, "INVALID_CHANGE", "a change that can't be is refused as such");
  }
}

const typing = (i: number): Edit => ({ kind: "insert", shape: "note", at: i - 1, text: `${i}` });
const namesOf = (changes: readonly Change[]) => changes.map(({ actor, seq }) => `${actor}:${seq}`);
