import { once } from "node:events";
import { openEngines } from "@db-katas/engines";
import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { migrate } from "../../src/migrate.ts";
import { startServer } from "../../src/server/server.ts";

const SECRET = "a secret that the test knows";

test("a server tells Prometheus of its clients, of their pushes and of whom it sent away", async () => {
  await using run = await openEngines();
  await using postgres = await run.lease("postgres");
  await migrate(await postgres.urlFor("migrations"));
  const server = await startServer({
    role: "server",
    name: "a",
    treasurer: "treasury",
    postgres: await postgres.urlFor("a"),
    secret: SECRET,
    requestBudgetMs: 10_000,
    limits: { changeBytes: 65_536, frameBytes: 524_288, backlogBytes: 1_048_576 },
  });
  const address = await server.address();
  const scraped = async () => (await fetch(`${address.replace("ws:", "http:")}/metrics`)).text();
  expect(await scraped()).toContain('ledger_push_seconds_count{outcome="acked"} 0');

  const token = await new SignJWT({ doc: "board" })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("ada")
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(SECRET));
  const client = new WebSocket(`${address}/board?token=${token}`);
  await once(client, "open");
  client.send(JSON.stringify({ type: "hello", version: {} }));
  await once(client, "message");
  const bytes = Buffer.from("no change at all").toString("base64");
  const changes = [{ actor: "ada", seq: 1, bytes }];
  client.send(JSON.stringify({ type: "push", id: 1, changes }));
  const [refused] = await once(client, "message");
  expect(JSON.parse(String(refused))).toMatchObject({ type: "refused", code: "INVALID_CHANGE" });
  const stranger = new WebSocket(`${address}/board?token=none`);
  const [code] = await once(stranger, "close");
  expect(code).toBe(4401);

  const told = await scraped();
  expect(told).toContain('ledger_push_seconds_count{outcome="INVALID_CHANGE"} 1');
  expect(told).toContain('ledger_closed_total{code="4401"} 1');
  expect(told).toContain("ledger_connections 1");
  expect(told).toContain("ledger_documents 1");
  await server.close();
  await expect(scraped()).rejects.toThrow();
});
