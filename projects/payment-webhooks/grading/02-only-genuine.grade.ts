import { check, startTwoNodes } from "./kit.ts";
import { bytesOf, digestOf, Purchase, requestWith, signatureOf, signed } from "./provider.ts";

export default check({
  title: "only what the provider signed, and not long ago, is believed",
  points: 4,
  concept: "authenticity",
  traps: ["signs-other-bytes", "no-tolerance", "one-secret-only", "compares-what-there-is"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["credited"],
  hints: [
    "Which bytes did the provider sign, and are those the ones that you sign to compare?",
    "A signature that was right yesterday is right today. What else is in the header?",
    "timingSafeEqual throws where lengths differ. Refuse such a digest before; to cut the longer one is to compare less, down to nothing.",
  ],
  async run(t) {
    const [current, next, foreign] = [t.random.word(32), t.random.word(32), t.random.word(32)];
    const toleranceSeconds = t.random.pick([120, 900]);
    // Half of it, and twice as much, either way: no request takes that long.
    const [inside, outside] = [toleranceSeconds * 500, toleranceSeconds * 2_000];
    const [a, b] = await startTwoNodes(t, { signingSecrets: [current, next], toleranceSeconds });
    const now = Date.now();

    t.step("genuine: either secret, both, another scheme beside it, odd bytes");
    const event = new Purchase(t).captured();
    const spaced = JSON.stringify({ ...event, attempt: 1, total: 1e21 }, null, 2);
    const escaped = `${spaced.replace('"attempt"', '"note": "Caf\\u00e9 \\/ 1.0", "attempt"')}\n`;
    const noted = bytesOf({ ...new Purchase(t).captured(), note: "Caf?" });
    // No UTF-8.
    const latin = noted.map((byte) => (byte === "?".charCodeAt(0) ? 0xe9 : byte));
    for (const body of [bytesOf(new Purchase(t).captured()), bytesOf(escaped), latin]) {
      for (const secrets of [[current], [next], [foreign, next], [next, foreign]]) {
        for (const at of [now, now - inside, now + inside]) {
          const other = `v0=${t.random.word(16)}`;
          const [when, ...digests] = signatureOf(body, { secrets, at }).split(",");
          const signature = t.random
            .pick([
              [when, ...digests, other],
              [when, other, ...digests],
              [other, when, ...digests],
            ])
            .join(",");
          const { status } = await t.random.pick([a, b]).receive(requestWith(signature, body));
          t.equal(status, 200, "what one of the secrets signed is answered with 200, odd or not");
        }
      }
    }
    t.equal((await b.payment(event.payment))?.state, "captured", "and it is recorded");

    t.step("not genuine: nothing of it is recorded");
    const purchase = new Purchase(t);
    const body = bytesOf(purchase.captured());
    const genuine = signatureOf(body, { secrets: [current] });
    const [time = "", digest = ""] = genuine.split(",").map((part) => part.split("=")[1]);
    const old = signatureOf(body, { secrets: [current], at: now - outside });
    const wrong: readonly [what: string, signature: string][] = [
      ["a secret that isn't ours", signatureOf(body, { secrets: [foreign] })],
      ["a time long ago", old],
      ["a time to come", signatureOf(body, { secrets: [current], at: now + outside })],
      ["an old signature under a new time", old.replace(/^t=\d+/, `t=${time}`)],
      ["an old signature with a new time before it", `t=${time},${old}`],
      ["an old signature with a new time behind it", `${old},t=${time}`],
      ["no time", `v1=${digest}`],
      ["no time, and none signed", `t=,v1=${digestOf(current, "", body)}`],
      ["a time that is no number", `t=x,v1=${digestOf(current, "x", body)}`],
      ["no digest", `t=${time}`],
      ["an empty digest", `t=${time},v1=`],
      ["half a digest", `t=${time},v1=${digest.slice(0, 32)}`],
      ["a digest with more behind it", `t=${time},v1=${digest}00`],
      ["a digest that is none", `t=${time},v1=${"ü".repeat(64)}`],
      ["another scheme", `t=${time},v0=${digest}`],
      ["an empty header", ""],
    ];
    for (const [what, signature] of wrong) {
      const { status } = await t.random.pick([a, b]).receive(requestWith(signature, body));
      t.equal(status, 401, `${what} is refused with 401`);
    }
    const more = bytesOf({ ...purchase.captured(), amount: String(purchase.amount + 1n) });
    t.equal((await a.receive(requestWith(genuine, more))).status, 401, "a changed body is refused");
    const aside = (await b.quarantined()).length;
    for (const bytes of [bytesOf(`no JSON ${t.random.word()}`), bytesOf("{}")]) {
      const { status } = await a.receive(
        requestWith(signatureOf(bytes, { secrets: [foreign] }), bytes),
      );
      t.equal(status, 401, "what isn't genuine is refused, whatever it says");
    }
    t.equal((await b.quarantined()).length, aside, "and is nothing that people have to look at");
    const unsigned = { headers: { "content-type": "application/json" }, rawBody: body };
    t.equal((await a.receive(unsigned)).status, 401, "a delivery without a signature is refused");
    t.equal(await b.payment(purchase.payment), null, "nothing is recorded of what is refused");

    t.step("the same payment, now as the provider tells it");
    t.equal((await b.receive(signed(body, { secrets: [next] }))).status, 200, "200 is the answer");
    t.equal((await a.payment(purchase.payment))?.captured, purchase.amount, "and it is recorded");
  },
});
