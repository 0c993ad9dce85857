/** The page, the levers, and a way to both servers on one origin, as a load balancer would have it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { type Cluster, FAULTS, type FaultName } from "./cluster.ts";

const FORWARD_MS = 5_000;
const POLICY = [
  "default-src 'none'",
  "connect-src 'self'",
  "img-src data:",
  "script-src 'self'",
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Whether a request comes from this page: another site in the same browser must not pull levers. */
function isOurs({ headers }: FastifyRequest): boolean {
  const host = headers.host ?? "";
  if (!/^(127\.0\.0\.1|localhost):\d+$/.test(host)) return false;
  return headers.origin === undefined || headers.origin === `http://${host}`;
}

export async function demoApp(cluster: Cluster): Promise<FastifyInstance> {
  const app = fastify({ forceCloseConnections: true });
  app.addHook("onRequest", async (request, reply) => {
    reply.header("content-security-policy", POLICY).header("x-content-type-options", "nosniff");
    if (!isOurs(request)) await reply.code(403).send({ message: "Only this page may do that." });
  });
  for (const [path, file, type] of [
    ["/", "page.html", "text/html"],
    ["/page.js", "page.js", "text/javascript"],
    ["/page.css", "page.css", "text/css"],
  ] as const) {
    const text = await readFile(join(import.meta.dirname, "page", file), "utf8");
    app.get(path, (_, reply) => reply.type(`${type}; charset=utf-8`).send(text));
  }

  app.get("/state", async () => ({
    fault: cluster.fault ?? null,
    faults: Object.keys(FAULTS),
    nodes: await Promise.all(
      [...cluster.servers].map(async ([name, { url }]) => {
        const ready = await fetch(`${url}/health/ready`, {
          signal: AbortSignal.timeout(FORWARD_MS),
        });
        return { name, ...((await ready.json()) as object) };
      }),
    ),
  }));
  app.post<{ Body: { fault: FaultName | null } }>(
    "/fault",
    {
      schema: {
        body: {
          type: "object",
          required: ["fault"],
          properties: { fault: { enum: [...Object.keys(FAULTS), null] } },
        },
      },
    },
    async ({ body }) => {
      await cluster.breakRedis(body.fault ?? undefined);
      return { fault: cluster.fault ?? null };
    },
  );
  app.all<{ Params: { node: string; "*": string } }>("/node/:node/*", async (request, reply) => {
    const server = cluster.servers.get(request.params.node);
    if (!server) return await reply.code(404).send({ message: "There are nodes a and b." });
    return await forward(`${server.url}/${request.params["*"]}`, request, reply);
  });
  return app;
}

async function forward(
  url: string,
  { method, headers, body }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const answer = await fetch(url, {
    method,
    headers: {
      cookie: headers.cookie ?? "",
      ...(body ? { "content-type": "application/json" } : {}),
    },
    signal: AbortSignal.timeout(FORWARD_MS),
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  for (const name of ["content-type", "server-timing", "retry-after"]) {
    const value = answer.headers.get(name);
    if (value) reply.header(name, value);
  }
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) reply.header("set-cookie", cookies);
  return await reply.code(answer.status).send(await answer.text());
}
