import { expect, test } from "vitest";
import type { Server } from "../src/definition.ts";
import { freePort } from "../src/providers/process.ts";
import { WholeServer } from "../src/whole-server.ts";
import { eventually } from "./helpers.ts";

/** A server of the user's own, as any number of runs know it. */
async function theirs() {
  const things: string[] = [];
  const server = {
    source: "KATA_TEST_URL",
    isolated: false,
    adminUrl: `test://127.0.0.1:${await freePort()}`,
  } as Server;
  const contents = {
    isEmpty: async () => things.length === 0,
    clear: async () => void things.splice(0),
  };
  const run = (patienceMs?: number) => new WholeServer(server, contents, patienceMs);
  return { things, contents, run };
}

test("leases of a run have the server one after another, in their order", async () => {
  const { things, run } = await theirs();
  const namespaces = run();
  const first = await namespaces.take(undefined);
  const order: string[] = [];
  const take = async (name: string) => {
    const namespace = await namespaces.take(undefined);
    expect(things).toEqual([]);
    order.push(name);
    things.push(name);
    await namespace.release();
  };
  const waiting = [take("second"), take("third")];
  things.push("first");
  await first.release();
  await Promise.all(waiting);
  expect(order).toEqual(["second", "third"]);
});

test("another run is refused while one has it, and has it afterwards", async () => {
  const { things, run } = await theirs();
  const mine = await run().take(undefined);
  things.push("mine");
  await expect(run().take(undefined)).rejects.toMatchObject({ code: "SERVER_TAKEN" });
  expect(things).toEqual(["mine"]);
  await mine.release();
  const next = await run().take(undefined);
  await next.release();
});

test("who waits too long, or for a run that ends, is refused and in nobody's way", async () => {
  const { run } = await theirs();
  const namespaces = run(20);
  const first = await namespaces.take(undefined);
  await expect(namespaces.take(undefined)).rejects.toMatchObject({ code: "SERVER_TAKEN" });
  await first.release();
  const second = await namespaces.take(undefined);
  const late = namespaces.take(undefined);
  await Promise.all([
    namespaces.close(),
    expect(late).rejects.toMatchObject({ code: "SERVER_TAKEN" }),
  ]);
  await second.release();
});

test("what can't be cleared keeps out the next one, and is nobody's", async () => {
  const { things, contents, run } = await theirs();
  const namespaces = run();
  const first = await namespaces.take(undefined);
  things.push("stuck");
  contents.clear = () => Promise.reject(new Error("no"));
  await expect(first.release()).rejects.toThrow("no");
  await expect(namespaces.take(undefined)).rejects.toMatchObject({ code: "SERVER_NOT_EMPTY" });
  things.splice(0);
  await eventually(
    () => run().take(undefined),
    (namespace) => namespace.name === "all of it",
  );
});
