import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wire as postgres } from "../src/definitions/postgres/wire.ts";
import { wire as redis } from "../src/definitions/redis/wire.ts";
import type { Direction, Mark, Wire } from "../src/wire.ts";

interface Part {
  readonly direction: Direction;
  readonly bytes: Buffer;
}

/** All that a reader makes of a connection. */
function heard(wire: Wire, parts: readonly Part[]) {
  const said: string[] = [];
  const marks: { direction: Direction; mark: Mark }[] = [];
  const reader = wire((direction, text, answers) =>
    said.push(`${direction === "request" ? "→" : "←"} ${text}${answers ? `  (${answers})` : ""}`),
  );
  for (const { direction, bytes } of parts)
    for (const mark of reader.read(direction, bytes)) marks.push({ direction, mark });
  return { said, marks };
}

/** The same bytes, cut elsewhere; nothing overtakes anything. */
function recut(parts: readonly Part[], sizes: readonly number[]): Part[] {
  let turn = 0;
  return parts.flatMap(({ direction, bytes }) => {
    const pieces: Part[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = sizes[turn++ % sizes.length] ?? 1;
      pieces.push({ direction, bytes: bytes.subarray(at, at + size) });
      at += size;
    }
    return pieces;
  });
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
const to = (direction: Direction, ...bytes: (Buffer | string)[]): Part => ({
  direction,
  bytes: Buffer.concat(bytes.map((each) => Buffer.from(each))),
});

function bulk(value: Buffer | string): Buffer {
  return Buffer.concat([
    Buffer.from(`$${Buffer.from(value).length}\r\n`),
    Buffer.from(value),
    Buffer.from("\r\n"),
  ]);
}
function command(...words: (Buffer | string)[]): Buffer {
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...words.map(bulk)]);
}

describe("RESP", () => {
  const word = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  const commands = fc.array(
    fc.tuple(fc.constantFrom("GET", "set", "EVAL"), fc.array(word, { maxLength: 30 })),
    { minLength: 1, maxLength: 8 },
  );
  const reply: fc.Arbitrary<Buffer> = fc.letrec<{ reply: Buffer }>((tie) => ({
    reply: fc.oneof(
      { maxDepth: 3 },
      fc
        .constantFrom(
          "+OK\r\n",
          "-ERR no\r\n",
          ":-7\r\n",
          "$-1\r\n",
          "*-1\r\n",
          "*0\r\n",
          "_\r\n",
          "#t\r\n",
          ",1.5\r\n",
        )
        .map((text) => Buffer.from(text)),
      word.map(bulk),
      fc
        .array(tie("reply"), { maxLength: 4 })
        .map((members) => Buffer.concat([Buffer.from(`*${members.length}\r\n`), ...members])),
      fc
        .array(fc.tuple(tie("reply"), tie("reply")), { maxLength: 3 })
        .map((pairs) => Buffer.concat([Buffer.from(`%${pairs.length}\r\n`), ...pairs.flat()])),
      tie("reply").map((value) => Buffer.concat([Buffer.from("|1\r\n+ttl\r\n:3600\r\n"), value])),
    ),
  })).reply;

  test("however it is cut, each message is found where it begins, and each reply with its request", () => {
    fc.assert(
      fc.property(
        commands,
        fc.array(reply, { minLength: 8, maxLength: 8 }),
        sizes,
        (asked, answers, cuts) => {
          const requests = asked.map(([name, args]) => command(name, ...args));
          const replies = answers.slice(0, requests.length);
          const parts = [to("request", ...requests), to("reply", ...replies)];
          const whole = heard(redis, parts);
          const begins = (messages: Buffer[]) =>
            messages.map((_, index) => Buffer.concat(messages.slice(0, index)).length);
          const at = (wanted: Direction) =>
            whole.marks.filter(({ direction }) => direction === wanted).map(({ mark }) => mark.at);
          expect(at("request")).toEqual(begins(requests));
          expect(at("reply")).toEqual(begins(replies));
          const texts = whole.marks.map(({ mark }) => mark.text);
          expect(texts.slice(requests.length)).toEqual(texts.slice(0, requests.length));
          expect(heard(redis, recut(parts, cuts))).toEqual(whole);
        },
      ),
    );
  });

  test("reads like a conversation", () => {
    const { said } = heard(redis, [
      to(
        "request",
        command("hello", "3", "AUTH", "app", "secret"),
        command("auth", "app", "secret"),
      ),
      to("reply", "%1\r\n+proto\r\n:3\r\n+OK\r\n"),
      to("request", command("set", "key", "a b\nc".padEnd(100, "x")), command("get", "nothing")),
      to("reply", "+OK\r\n_\r\n"),
      to("request", command("subscribe", "news"), command("ping")),
      to("reply", ">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n", "+PONG\r\n"),
      to("reply", ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"),
      to(
        "request",
        command("client", "reply", "skip"),
        command("set", "a", "1"),
        command("get", "a"),
      ),
      to("reply", "$1\r\n1\r\n"),
      to(
        "request",
        "PING\r\n",
        command("acl", "setuser", "x", "on", ">secret"),
        command("config", "set", "requirepass", "secret"),
      ),
      to("reply", "+PONG\r\n-NOPERM no\r\n-NOPERM no\r\n"),
    ]);
    expect(said.join("\n")).not.toContain("secret");
    expect(said).toMatchInlineSnapshot(`
      [
        "→ HELLO 3 AUTH app ***",
        "→ AUTH ***",
        "← proto 3  (HELLO 3 AUTH app ***)",
        "← OK  (AUTH ***)",
        "→ SET key a b cxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…",
        "→ GET nothing",
        "← OK  (SET key a b cxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…)",
        "← (nil)  (GET nothing)",
        "→ SUBSCRIBE news",
        "→ PING",
        "← subscribe news 1",
        "← PONG  (PING)",
        "← message news hi",
        "→ CLIENT reply skip",
        "→ SET a 1",
        "→ GET a",
        "← 1  (GET a)",
        "→ PING",
        "→ ACL setuser x on ***",
        "→ CONFIG set requirepass ***",
        "← PONG  (PING)",
        "← -NOPERM no  (ACL setuser x on ***)",
        "← -NOPERM no  (CONFIG set requirepass ***)",
      ]
    `);
  });

  test("what is no RESP is refused, not guessed at", () => {
    expect(() => heard(redis, [to("reply", "*what\r\n")])).toThrow(/no header of RESP/);
  });
});

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int16 = (value: number) => int32(value).subarray(2);
function message(type: string, ...fields: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(
    fields.map((each) => (typeof each === "string" ? Buffer.from(`${each}\0`) : each)),
  );
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}
const startup = message("", int32(196608), "user", "app", "database", "shop", Buffer.from([0]));
const bind = (name: string, ...values: string[]) =>
  message(
    "B",
    "",
    name,
    int16(0),
    int16(values.length),
    ...values.flatMap((value) => [int32(value.length), Buffer.from(value)]),
    int16(0),
  );
const execute = message("E", "", int32(0));
const describeIt = message("D", Buffer.from("P\0"));
const sync = message("S");
const ready = message("Z", Buffer.from("I"));
const done = (tag: string) => message("C", tag);
const refused = message("E", Buffer.from("SERROR\0C40001\0Mtoo bad\0\0"));

describe("PostgreSQL's protocol", () => {
  const conversation: Part[] = [
    to("request", message("", int32(80877103))),
    to("reply", "N"),
    to("request", startup),
    to("reply", message("R", int32(3))),
    to("request", message("p", "secret")),
    to(
      "reply",
      message("R", int32(0)),
      message("S", "TimeZone", "UTC"),
      message("K", int32(1), int32(2)),
      ready,
    ),
    to("request", message("Q", "begin;\n")),
    to("reply", done("BEGIN"), ready),
    to(
      "request",
      message("P", "", "UPDATE t\n SET x = $1", int16(0)),
      bind("", "4 2"),
      describeIt,
      execute,
      sync,
    ),
    to("reply", message("1"), message("2"), message("n"), done("UPDATE 1"), ready),
    to("request", message("P", "mine", "SELECT $1", int16(0)), sync),
    to("reply", message("1"), ready),
    to("request", bind("mine", "one"), execute, bind("mine", "two"), execute, sync),
    to(
      "reply",
      message("2"),
      message("D", int16(0)),
      done("SELECT 1"),
      message("2"),
      refused,
      ready,
    ),
    to(
      "request",
      message("P", "", "INSERT INTO t VALUES (1)", int16(0)),
      bind(""),
      execute,
      message("P", "", "INSERT INTO t VALUES (2)", int16(0)),
      bind(""),
      execute,
      sync,
    ),
    to("reply", refused, message("A", int32(7), "news", "hi"), ready),
    to("request", message("Q", "ALTER ROLE x PASSWORD 'it''s secret'; COMMIT")),
    to("reply", done("ALTER ROLE"), done("COMMIT"), ready),
    to("request", message("X")),
  ];

  test("reads like a conversation", () => {
    const { said, marks } = heard(postgres, conversation);
    expect(said.join("\n")).not.toContain("secret");
    expect(said).toMatchInlineSnapshot(`
      [
        "→ (connect) app shop",
        "→ (password)",
        "→ begin",
        "← BEGIN  (begin)",
        "→ UPDATE t SET x = $1 [4 2]",
        "← UPDATE 1  (UPDATE t SET x = $1 [4 2])",
        "→ SELECT $1 [one]",
        "→ SELECT $1 [two]",
        "← SELECT 1  (SELECT $1 [one])",
        "← ERROR 40001: too bad  (SELECT $1 [two])",
        "→ INSERT INTO t VALUES (1)",
        "→ INSERT INTO t VALUES (2)",
        "← ERROR 40001: too bad  (INSERT INTO t VALUES (1))",
        "← NOTIFY news hi",
        "→ ALTER ROLE x PASSWORD ***; COMMIT",
        "← ALTER ROLE  (ALTER ROLE x PASSWORD ***; COMMIT)",
        "← COMMIT  (ALTER ROLE x PASSWORD ***; COMMIT)",
        "→ (terminate)",
      ]
    `);
    expect(
      marks.map(({ direction, mark }) => `${direction} at ${mark.at}: ${mark.text}`),
    ).toMatchInlineSnapshot(`
      [
        "request at 52: begin",
        "reply at 56: begin",
        "request at 65: UPDATE t SET x = $1 [4 2]",
        "reply at 73: UPDATE t SET x = $1 [4 2]",
        "request at 163: SELECT $1 [one]",
        "request at 197: SELECT $1 [two]",
        "reply at 119: SELECT $1 [one]",
        "reply at 145: SELECT $1 [two]",
        "request at 236: INSERT INTO t VALUES (1)",
        "request at 292: INSERT INTO t VALUES (2)",
        "reply at 185: INSERT INTO t VALUES (1)",
        "reply at 214: NOTIFY news hi",
        "request at 353: ALTER ROLE x PASSWORD ***; COMMIT",
        "reply at 237: ALTER ROLE x PASSWORD ***; COMMIT",
      ]
    `);
  });

  test("however it is cut, it reads the same", () => {
    const whole = heard(postgres, conversation);
    fc.assert(
      fc.property(sizes, (cuts) => {
        expect(heard(postgres, recut(conversation, cuts))).toEqual(whole);
      }),
    );
  });

  test("of a long statement the beginning is remembered, and what follows is found", () => {
    const long = `SELECT '${"x".repeat(100_000)}'`;
    const parts = [to("request", startup, message("Q", long), message("Q", "COMMIT"))];
    const whole = heard(postgres, parts);
    expect(whole.marks.at(-1)?.mark).toEqual({
      at: startup.length + long.length + 6,
      text: "COMMIT",
    });
    expect(whole.marks[0]?.mark.text.length).toBeLessThanOrEqual(2_000);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9_000 }), (size) => {
        expect(heard(postgres, recut(parts, [size]))).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  test("an encrypted connection can't be read, and says so", () => {
    expect(() =>
      heard(postgres, [to("request", message("", int32(80877103))), to("reply", "S")]),
    ).toThrow(/encrypted/);
  });
});
