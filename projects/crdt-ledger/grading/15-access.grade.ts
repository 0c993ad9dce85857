import type { Edit } from "../contract.ts";
import {
  type Client,
  LIMITS,
  type Person,
  rectangle,
  rowsOf,
  type ServerNode,
  Stage,
  typing,
} from "./clients.ts";
import { check, type LedgerContext, startReplica } from "./kit.ts";

/** How long a guest's token holds, in seconds; they are counted in whole ones. */
const GUEST_SECONDS = 3;
/** How long somebody may stay whose token has ended, in milliseconds. */
const GRANTED_MS = 5_000;

export default check({
  title:
    "nobody gets in without a token, writes as somebody else, or leaves anything broken in the log",
  points: 6,
  concept: "authenticity",
  traps: [
    "forged-actor",
    "poisons-the-log",
    "takes-what-is-early",
    "any-document",
    "decodes-the-token",
    "in-for-ever",
    "without-end",
    "whatever-name",
    "trusts-the-till",
  ],
  engines: { postgres: {} },
  nodes: ["s1", "ann", "bob", "mint", "forger"],
  hints: [
    "Who says which actor a change is of: the change, or the token of the connection that it came on?",
    "Whatever is stored is sent to everybody, for ever. What did the server find out about the bytes before?",
    "Have the server take each change with the code that clients take it with, before it stores it; and refuse whatever that refuses.",
  ],
  async run(t) {
    const stage = new Stage(t);
    const s1 = await stage.server("s1");
    const [ann, bob] = await Promise.all([stage.person("ann"), stage.person("bob")]);
    using onS1 = await stage.connect(ann, s1);
    using other = await stage.connect(bob, s1);
    await ann.edit(rectangle(`a-${t.random.word(6)}`));
    await onS1.flush();
    const shape = `b-${t.random.word(6)}`;
    await bob.edit(rectangle(shape), typing(shape, "bb"));
    await other.flush();
    const ends = Math.floor(Date.now() / 1_000) + GUEST_SECONDS;
    using guest = await stage.open(s1, await stage.token({ sub: "bob", exp: ends }), bob);
    guest.takes = false;
    guest.send({ type: "hello", version: {} });
    await guest.until(() => guest.all("synced").length > 0, "who has a token may come in");
    await strangers(t, stage, s1, bob);
    await misspoken(stage, s1, bob);
    await forgeries(t, stage, s1, [ann, onS1], bob);
    t.step("a token ends while its connection is open");
    const left = ends * 1_000 - Date.now() + GRANTED_MS;
    const closed = "whose token has ended is let go";
    await guest.until(() => guest.closedWith !== undefined, closed, left);
    t.equal(guest.closedWith, 4401, `${closed}, with 4401`);
    t.step("after all this, ann and bob go on");
    t.equal(onS1.closedWith, undefined, "the connection of who was refused stays");
    t.equal(other.closedWith, undefined, "and so does everybody else's");
    await onS1.flush("what ann really made is acknowledged");
    t.step("ann has got something from bob that the server hasn't, and goes on from there");
    await ann.replica.receive(stage.document, bob.outbox);
    const early = await ann.edit(rectangle(`f-${t.random.word(6)}`));
    t.equal(
      await onS1.push([early]),
      "TOO_EARLY",
      "a change that had seen another one waits for it",
    );
    await other.flush("what bob really made is acknowledged");
    await onS1.flush("then so is what had seen it");
    await other.has("ann", early.seq, "and bob gets it");
    t.equal(other.seqsOf("ann"), [1, 2, 3, 4], "bob was never sent anything else");
    await onS1.has("bob", 2, "and ann gets it");
    t.equal(onS1.seqsOf("bob"), [1, 2], "nor was ann sent anything else");
    t.equal(await bob.view(), await ann.view(), "both see the same");
    t.equal(await s1.node.verifyLog(stage.document), null, "the log is sound");
  },
});

async function strangers(t: LedgerContext, stage: Stage, s1: ServerNode, bob: Person) {
  t.step("strangers knock");
  const past = Math.floor(Date.now() / 1_000) - 3_600;
  const [header, payload, signature] = (await stage.token({ sub: "bob" })).split(".");
  const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
  const tokens: Record<string, string> = {
    "no token": "",
    "what is no token": "bob",
    "another secret": await stage.token({ sub: "bob" }, `${stage.secret}2`),
    "a token that has ended": await stage.token({ sub: "bob", exp: past }),
    "a token of another document": await stage.token({ sub: "bob", doc: `${stage.document}2` }),
    "a token of nobody": await stage.token({}),
    "a token of whom nobody can be": await stage.token({ sub: "Bob!" }),
    "a token without an end": await stage.token({ sub: "bob", exp: undefined }),
    "a token without a signature": `${none}.${payload}.`,
    "a token that says itself how it is signed": `${none}.${payload}.${signature}`,
    "a token whose claims were altered": `${header}.${altered(payload ?? "")}.${signature}`,
  };
  for (const [what, token] of Object.entries(tokens)) {
    using client = await stage.open(s1, token, bob);
    client.send({ type: "hello", version: {} });
    await client.until(
      () => client.closedWith !== undefined,
      `with ${what}, a connection is closed`,
    );
    t.equal(client.closedWith, 4401, `with ${what}, a connection is closed with 4401`);
    t.equal(client.frames, [], `with ${what}, nothing is sent`);
  }
  using elsewhere = await stage.open(
    s1,
    await stage.token({ sub: "bob" }),
    bob,
    `${stage.document}2`,
  );
  await elsewhere.until(
    () => elsewhere.closedWith !== undefined,
    "another document is closed to bob",
  );
  t.equal(elsewhere.closedWith, 4401, "a token for one document opens no other one");
}

/** The claims of another actor. */
function altered(payload: string): string {
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  return Buffer.from(JSON.stringify({ ...claims, sub: "ann" })).toString("base64url");
}

async function misspoken(stage: Stage, s1: ServerNode, bob: Person): Promise<void> {
  const { t } = stage;
  t.step("somebody who may come in says what is no frame");
  const hello = JSON.stringify({ type: "hello", version: {} });
  const words: Record<string, readonly (string | Uint8Array)[]> = {
    "what is no JSON": ["{"],
    "a frame of no known type": [hello, JSON.stringify({ type: "drop", table: "operations" })],
    "a frame of bytes": [new TextEncoder().encode(hello)],
    "a push before the hello": [JSON.stringify({ type: "push", id: 1, changes: [] })],
    "a push of no list": [hello, JSON.stringify({ type: "push", id: 1, changes: "all" })],
    "a cursor without a place": [hello, JSON.stringify({ type: "cursor", x: "1", y: null })],
  };
  const token = await stage.token({ sub: "bob" });
  for (const [what, frames] of Object.entries(words)) {
    using client = await stage.open(s1, token, bob);
    for (const frame of frames) client.send(frame);
    await client.until(
      () => client.closedWith !== undefined,
      `after ${what}, a connection is closed`,
    );
    t.equal(client.closedWith, 4400, `after ${what}, a connection is closed with 4400`);
  }
  using large = await stage.open(s1, token, bob);
  large.send(" ".repeat(LIMITS.frameBytes + 1));
  await large.until(
    () => large.closedWith !== undefined,
    "after a frame over the limit, it is closed",
  );
  t.equal(large.closedWith, 1009, "after a frame over the limit, a connection is closed with 1009");
}

async function forgeries(
  t: LedgerContext,
  stage: Stage,
  s1: ServerNode,
  [ann, onS1]: readonly [Person, Client],
  bob: Person,
): Promise<void> {
  // In a world of their own, where bob is the treasurer.
  const treasurer = "bob";
  const [mint, forger] = await Promise.all([
    startReplica(t, "bob", { name: "mint", treasurer }),
    startReplica(t, "ann", { name: "forger", treasurer }),
  ]);
  const amount = t.random.int(100, 900);
  const money: Edit[] = [
    { kind: "issue", account: "cash", amount },
    { kind: "lend", account: "cash", to: "ann", amount },
  ];
  t.step("bob pushes money that he may not issue");
  const elsewhere = stage.elsewhere();
  const issued = await mint.edit(elsewhere.document, money);
  using apart = await elsewhere.connect(bob.on(elsewhere), s1);
  const refused = "money that somebody else than the treasurer issues is refused";
  t.equal(await apart.push([issued]), "INVALID_CHANGE", refused);
  t.equal(await rowsOf(elsewhere), [], "and not stored");
  const first = await forger.edit(stage.document, [rectangle("forged")]);
  // It is numbered like bob's, who has drawn and written something, and has seen a first change of hers.
  await mint.receive(stage.document, [first]);
  const lent = await mint.edit(stage.document, [rectangle("minted"), ...money]);
  await forger.receive(stage.document, [lent]);
  const spent = await forger.edit(stage.document, [
    { kind: "transfer", from: "cash", to: "rent", amount },
  ]);
  // Never pushed as what they are.
  const [second] = [await ann.edit(rectangle(`c-${t.random.word(6)}`))];
  const third = await ann.edit(rectangle(`d-${t.random.word(6)}`));
  const asBob = await bob.edit(rectangle(`e-${t.random.word(6)}`));
  const broken = second.bytes.slice(0, Math.ceil(second.bytes.length / 2));
  const noise = Uint8Array.from({ length: 200 }, () => t.random.int(0, 255));
  const large = new Uint8Array(LIMITS.changeBytes + 1);
  const pushes = {
    "a change of bob's": [[asBob], "INVALID_CHANGE"],
    "a change of bob's as one's own": [[{ ...asBob, actor: "ann" }], "INVALID_CHANGE"],
    "an own change as bob's": [[{ ...second, actor: "bob" }], "INVALID_CHANGE"],
    noise: [[{ ...second, bytes: noise }], "INVALID_CHANGE"],
    nothing: [[{ ...second, bytes: new Uint8Array(0) }], "INVALID_CHANGE"],
    "half of a change": [[{ ...second, bytes: broken }], "INVALID_CHANGE"],
    "a sound change, and noise": [[second, { ...third, bytes: noise }], "INVALID_CHANGE"],
    "other bytes under a seq that is stored": [[{ ...first, seq: 1 }], "INVALID_CHANGE"],
    // Who lent it to her did so in that world only.
    "money that she has no right to spend": [[spent], "INVALID_CHANGE or TOO_EARLY"],
    "a change before the one that comes before it": [[third], "TOO_EARLY"],
    "a change over the limit": [[{ ...second, bytes: large }], "TOO_LARGE"],
    "a sound change, and one over the limit": [[second, { ...third, bytes: large }], "TOO_LARGE"],
    // It isn't that one, and what it is a change to isn't here yet.
    "a change as the one before it": [
      [{ ...third, seq: second.seq }],
      "INVALID_CHANGE or TOO_EARLY",
    ],
  } as const;
  const before = await rowsOf(stage);
  for (const [what, [changes, code]] of Object.entries(pushes)) {
    t.step(`ann pushes ${what}`);
    const answer = String(await onS1.push(changes));
    t.ok(code.split(" or ").includes(answer), `${what} is refused: ${code}`, {
      expected: code,
      received: answer,
    });
  }
  t.equal(await rowsOf(stage), before, "nothing of what was refused is stored");
  t.equal(bob.outbox.length, 1, "what bob has made is still his to push");
}
