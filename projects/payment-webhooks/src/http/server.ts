/** The door to a node: the bytes of a request as they came, and its status as the answer. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { WebhookNode } from "../../contract.ts";

/** No event is larger; what is, is not read to its end. In bytes. */
const BODY_BYTES = 256 * 1024;
/** When the provider may try again, in seconds. */
const RETRY_AFTER = "2";

export interface Door extends AsyncDisposable {
  readonly url: string;
}

/**
 * Serves `POST /webhooks` and `GET /healthz`. Disposing it takes no more requests, answers those that are
 * under way, and closes the node.
 * @param port 0 for any
 */
export async function serve(node: WebhookNode, port: number, host = "127.0.0.1"): Promise<Door> {
  const server = createServer((request, response) => {
    // A connection that is kept open would keep the server from closing.
    response.once("finish", () => !server.listening && server.closeIdleConnections());
    answer(node, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const { port: chosen } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${chosen}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await closed;
      await node.close();
    },
  };
}

async function answer(node: WebhookNode, request: IncomingMessage, response: ServerResponse) {
  const { method, url } = request;
  if (method === "GET" && url === "/healthz") return end(response, 200);
  if (url !== "/webhooks") return end(response, 404);
  if (method !== "POST") return end(response, 405, { allow: "POST" });
  const rawBody = await bodyOf(request);
  if (!rawBody) return end(response, 413, { connection: "close" });
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value);
  const { status } = await node.receive({ headers, rawBody });
  end(response, status, status === 503 ? { "retry-after": RETRY_AFTER } : {});
}

/** Undefined for what is too large. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > BODY_BYTES) return undefined;
  }
  return Buffer.concat(chunks);
}

function end(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...headers, "content-length": "0" }).end();
}
