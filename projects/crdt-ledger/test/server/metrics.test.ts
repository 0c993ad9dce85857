import { once } from "node:events";
import { openEngines } from "@db-katas/engines";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { joined, started } from "./started.ts";

test("a server tells Prometheus of its clients, of their pushes and of whom it sent away", async () => {
  await using run = await openEngines();
  await using postgres = await run.lease("postgres");
  const server = await started(postgres);
  const address = await server.address();
  const scraped = async () => (await fetch(`${address.replace("ws:", "http:")}/metrics`)).text();
  expect(await scraped()).toContain('ledger_push_seconds_count{outcome="acked"} 0');

  const client = await joined(address, "ada");
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
