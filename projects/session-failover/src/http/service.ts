/** A small service on sessions: sign in, profile, devices, sign out here or everywhere. */
import type { FastifyPluginAsync } from "fastify";
import { sessions } from "../adapters/fastify.ts";
import type { Node } from "../open.ts";
import { type CallNotes, noted } from "../telemetry.ts";

export interface ServiceOptions {
  readonly node: Node;
  readonly secret: string;
  readonly ttlMs: number;
  readonly secure: boolean;
  /** @returns who it is, or null for wrong credentials */
  readonly authenticate: (credentials: Credentials) => Promise<string | null>;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

interface Login extends Credentials {
  readonly device: string;
}

const LOGIN = {
  body: {
    type: "object",
    required: ["user"],
    additionalProperties: false,
    properties: {
      user: { type: "string", minLength: 1, maxLength: 100 },
      password: { type: "string", maxLength: 200, default: "" },
      device: { type: "string", maxLength: 100, default: "unknown" },
    },
  },
};
const SIGN_IN = { error: "Unauthorized", message: "Sign in first.", statusCode: 401 };

export const service: FastifyPluginAsync<ServiceOptions> = async (app, options) => {
  const { node, secret, ttlMs, secure, authenticate } = options;
  await app.register(sessions, { node, secret, ttlMs, secure });

  app.post<{ Body: Login }>("/login", { schema: LOGIN }, async ({ body, session }, reply) => {
    const userId = await authenticate(body);
    if (userId === null) {
      return await reply.code(401).send({ ...SIGN_IN, message: "Wrong user or password." });
    }
    await session.open({ userId, device: body.device, data: { visits: 0 } });
    return { user: userId };
  });

  app.get("/profile", async ({ session }, reply) => {
    const notes: CallNotes = {};
    const found = await noted(notes, () => session.get());
    reply.header("server-timing", `session;desc="${notes.tier ?? "none"}"`);
    if (!found) return await reply.code(401).send(SIGN_IN);
    const { userId, data, version, expiresAt } = found;
    return { user: userId, data, version, expiresAt };
  });

  app.post("/visit", async ({ session }, reply) => {
    const found = await session.get();
    if (!found) return await reply.code(401).send(SIGN_IN);
    await session.touch();
    const { data, version } = await session.set({ visits: Number(found.data.visits ?? 0) + 1 });
    return { data, version };
  });

  app.get("/devices", async ({ session }, reply) => {
    const found = await session.get();
    if (!found) return await reply.code(401).send(SIGN_IN);
    return await node.list(found.userId);
  });

  app.post("/logout", async ({ session }) => {
    await session.destroy();
    return { ended: 1 };
  });

  app.post("/logout-everywhere", async ({ session }, reply) => {
    const found = await session.get();
    if (!found) return await reply.code(401).send(SIGN_IN);
    const ended = await node.destroyAll(found.userId);
    await session.destroy();
    return { ended };
  });
};
