import { openEngines } from "@db-katas/engines";
import pg from "pg";
import { expect, test, vi } from "vitest";
import type { Replica, ServerFrame } from "../../contract.ts";
import reference from "../../src/index.ts";
import { joined, started } from "./started.ts";

const AWAY = 1001;

test("whose change is being stored when the server is told to end hears that it is stored, and then goodbye", async () => {
  await using run = await openEngines();
  await using postgres = await run.lease("postgres");
  const server = await started(postgres);
  const config = { role: "replica", name: "ada", actor: "ada", treasurer: "treasury" } as const;
  const replica = (await reference.createNode(config)) as Replica;
  const { actor, seq, bytes } = await replica.edit("board", [
    {
      kind: "add",
      shape: "a",
      parent: null,
      above: null,
      properties: { type: "ellipse", x: 1, y: 2, width: 3, height: 4, color: "#123456" },
    },
  ]);

  const client = await joined(await server.address(), actor);
  const heard: (ServerFrame | number)[] = [];
  client.on("message", (data) => heard.push(JSON.parse(String(data))));
  client.on("close", (code) => heard.push(code));

  const blocker = new pg.Client({ connectionString: await postgres.urlFor("blocker") });
  await blocker.connect();
  await blocker.query("BEGIN; LOCK TABLE operations IN ACCESS EXCLUSIVE MODE");
  const changes = [{ actor, seq, bytes: Buffer.from(bytes).toString("base64") }];
  client.send(JSON.stringify({ type: "push", id: 7, changes }));
  const waiting = "SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted";
  await vi.waitFor(
    async () => expect((await blocker.query(waiting)).rows[0].n).toBeGreaterThan(0),
    { timeout: 10_000 },
  );
  const closed = server.close();
  await blocker.query("COMMIT");
  await blocker.end();
  await closed;

  await vi.waitFor(() => expect(heard).toContain(AWAY));
  expect(heard).toEqual([{ type: "acked", id: 7, seq: 1 }, AWAY]);
});
