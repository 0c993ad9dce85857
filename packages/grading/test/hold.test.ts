import { once } from "node:events";
import { connect } from "node:net";
import { openEngines } from "@db-katas/engines";
import { expect, it } from "vitest";
import { CheckContext } from "../src/context.ts";
import { randomFrom } from "../src/seed.ts";
import { Trace } from "../src/trace.ts";

it("a message held by a check is in its trace, from the gate's opening to its release", async () => {
  await using engines = await openEngines();
  await using lease = await engines.lease("redis");
  const trace = new Trace();
  const t = new CheckContext({
    seed: 1,
    random: randomFrom(1),
    leases: new Map([["redis", lease]]),
    trace,
    process: () => {
      throw new Error("this check starts no app node");
    },
    folder: engines.folder,
  });
  const { port, username, password, pathname } = new URL(await lease.urlFor("a"));
  const a = connect(Number(port), "127.0.0.1").setEncoding("utf8");
  await once(a, "connect");
  using gate = t.hold("redis", { node: "a", match: "GET key" });
  a.write(`AUTH ${username} ${password}\r\nSELECT ${pathname.slice(1)}\r\nGET key\r\n`);
  await gate.held;
  gate.release();
  let answer = "";
  while (!answer.endsWith("$-1\r\n")) answer += (await once(a, "data"))[0];
  {
    using unused = t.hold("redis", { direction: "reply", match: /^SET/, nth: 2 });
    unused.held.catch(() => {});
  }
  expect(trace.events.map(({ kind, text }) => `[${kind}] ${text}`)).toMatchInlineSnapshot(`
    [
      "[gate] redis: a's request GET key will be held",
      "[gate] redis: holding a's request GET key",
      "[gate] redis: a's request GET key released",
      "[gate] redis: any node's reply to /^SET/, number 2, will be held",
      "[gate] redis: any node's reply to /^SET/, number 2, released",
    ]
  `);
  a.destroy();
});
