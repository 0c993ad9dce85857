/** What must be seen while a message is held, and after it. */
import { expect, test } from "vitest";
import type { EngineRun } from "../types.ts";
import type { Kit } from "./kit.ts";

export function gateTests(kit: Kit, run: () => EngineRun, name: string, can: boolean): void {
  const { requests } = kit;
  if (!can || !requests) {
    test("a gate is refused: nobody here understands the protocol", async () => {
      await using lease = await run().lease(name);
      expect(() => lease.gate({ match: "anything" })).toThrow(
        expect.objectContaining({ code: "CAPABILITY_MISSING" }),
      );
      expect(lease.transcript()).toEqual([]);
    });
    return;
  }

  /** Nodes a and b on one namespace, in which `key` is `before`. */
  const pair = async () => {
    const lease = await run().lease(name);
    const [a, b] = [
      await kit.connect(await lease.urlFor("a")),
      await kit.connect(await lease.urlFor("b")),
    ];
    await a.set("key", "before");
    return {
      lease,
      a,
      b,
      async [Symbol.asyncDispose]() {
        await Promise.allSettled([a.close(), b.close()]);
        await lease[Symbol.asyncDispose]();
      },
    };
  };

  test("a held request has not happened for anybody, until it is released", async () => {
    await using each = await pair();
    const { lease, a, b } = each;
    using gate = lease.gate({ node: "a", match: requests.set });
    const written = a.set("key", "after");
    expect(await gate.held).toMatchObject({ node: "a", connection: 1, direction: "request" });
    expect(await b.get("key")).toBe("before");
    gate.release();
    await written;
    expect(await b.get("key")).toBe("after");
  });

  test("the n-th reply is held, and tells of the moment before it was", async () => {
    await using each = await pair();
    const { lease, a, b } = each;
    using gate = lease.gate({ node: "a", direction: "reply", match: requests.get, nth: 2 });
    expect(await a.get("key")).toBe("before");
    const read = a.get("key");
    await gate.held;
    await b.set("key", "after");
    gate.release();
    expect(await read).toBe("before");
    expect(await a.get("key")).toBe("after");
  });

  test("a dropped acknowledgement breaks the connection; what it was about has happened", async () => {
    await using each = await pair();
    const { lease, a, b } = each;
    using gate = lease.gate({ node: "a", direction: "reply", match: requests.set });
    const written = a.set("key", "after");
    await gate.held;
    gate.drop();
    await expect(written).rejects.toThrow();
    expect(await b.get("key")).toBe("after");
  });

  test("a gate that is left closed opens when it is disposed, or with the lease says what went by", async () => {
    await using each = await pair();
    const { lease, a } = each;
    let read: Promise<string | undefined>;
    {
      using gate = lease.gate({ match: requests.get });
      read = a.get("key");
      await gate.held;
    }
    expect(await read).toBe("before");
    const gate = lease.gate({ match: "nobody says this" });
    await lease[Symbol.asyncDispose]();
    await expect(gate.held).rejects.toMatchObject({ code: "GATE_NOT_REACHED" });
  });

  test("the transcript tells who said what, and no passwords", async () => {
    await using each = await pair();
    const { lease, b } = each;
    await b.get("key");
    const heard = lease.transcript("b");
    expect(new Set(heard.map((utterance) => utterance.node))).toEqual(new Set(["b"]));
    expect(new Set(heard.map((utterance) => utterance.direction))).toEqual(
      new Set(["request", "reply"]),
    );
    expect(heard.some(({ text }) => text.includes(requests.get))).toBe(true);
    const { password } = new URL(await lease.urlFor("a"));
    expect(JSON.stringify(lease.transcript())).not.toContain(password || "no password");
  });
}
