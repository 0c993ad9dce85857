/**
 * A Fastify plugin: `request.session`, backed by a node, with a signed cookie.
 *
 * There is a session only after `open`, which belongs at the end of a successful login: it always
 * makes a new id and ends what the browser had before, so an id that somebody planted in a browser
 * is worth nothing (session fixation). Nothing is asked of the stores until a handler asks.
 */
import cookie from "@fastify/cookie";
import type { FastifyReply, FastifyRequest } from "fastify";
import plugin from "fastify-plugin";
import type { Session, SessionData, SessionNode } from "../../contract.ts";
import { notFound } from "../errors.ts";
import { asHttpError, RETRY_AFTER_S } from "./http-error.ts";

export interface SessionPluginOptions {
  readonly node: SessionNode;
  /** Signs the cookie; at least 32 characters. The first of several signs, all of them verify. */
  readonly secret: string | string[];
  /** How long a session lives after it was opened or touched, in milliseconds. */
  readonly ttlMs: number;
  /** Default `"sid"`. */
  readonly cookieName?: string;
  /** Whether the browser sends the cookie over HTTPS only. Default true; false for development. */
  readonly secure?: boolean;
}

/**
 * Every method may fail with a 503 (`STORE_UNAVAILABLE`, with `Retry-After`); all but `get`, `open`
 * and `destroy` with a 401 (`NOT_FOUND`) when there is no session.
 */
export interface SessionHandle {
  /** The browser's session, or null; asked once in a request. */
  get(): Promise<Session | null>;
  /**
   * Replaces the data of the session that this request has read.
   * Fails with a 409 (`VERSION_CONFLICT`) when another request has changed it since.
   */
  set(data: SessionData): Promise<Session>;
  /** Logs in: a new session with a new id; the one that the browser had is ended. */
  open(input: { userId: string; device?: string; data?: SessionData }): Promise<Session>;
  /** A new id for the same session, as when its user gains rights. */
  regenerate(): Promise<Session>;
  /** The session, and its cookie, now end `ttlMs` from now. */
  touch(): Promise<Session>;
  /** Logs out. It is no error if there is nothing to end. */
  destroy(): Promise<void>;
}

declare module "fastify" {
  interface FastifyRequest {
    session: SessionHandle;
  }
}

const SECRET_CHARACTERS = 32;

/** @throws RangeError when a secret is too short to sign anything with */
export const sessions = plugin<SessionPluginOptions>(
  async (app, options) => {
    const { secret } = options;
    if ([secret].flat().some(({ length }) => length < SECRET_CHARACTERS)) {
      throw new RangeError(`A secret of at least ${SECRET_CHARACTERS} characters is needed.`);
    }
    if (!app.hasPlugin("@fastify/cookie")) await app.register(cookie, { secret });
    const handles = new WeakMap<FastifyRequest, SessionHandle>();
    const replies = new WeakMap<FastifyRequest, FastifyReply>();
    app.addHook("onRequest", async (request, reply) => {
      replies.set(request, reply);
    });
    app.decorateRequest("session", {
      getter() {
        const reply = replies.get(this);
        if (!reply) throw new TypeError("request.session exists from the onRequest hook on.");
        const handle = handles.get(this) ?? new Handle(this, reply, options);
        handles.set(this, handle);
        return handle;
      },
    });
  },
  { name: "session-failover", fastify: "5.x" },
);

class Handle implements SessionHandle {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #options: SessionPluginOptions;
  readonly #name: string;
  #id: string | undefined;
  #found: Promise<Session | null> | undefined;

  constructor(request: FastifyRequest, reply: FastifyReply, options: SessionPluginOptions) {
    this.#request = request;
    this.#reply = reply;
    this.#options = options;
    this.#name = options.cookieName ?? "sid";
    const unsigned = request.unsignCookie(request.cookies[this.#name] ?? "");
    this.#id = unsigned.valid ? unsigned.value : undefined;
  }

  get(): Promise<Session | null> {
    const id = this.#id;
    this.#found ??= this.#answer(async () => (id ? await this.#options.node.get(id) : null));
    return this.#found;
  }

  set(data: SessionData): Promise<Session> {
    return this.#answer(async () => {
      const { id, version } = await this.#mine();
      return this.#know(await this.#options.node.update(id, { data, expectedVersion: version }));
    });
  }

  open(input: { userId: string; device?: string; data?: SessionData }): Promise<Session> {
    return this.#answer(async () => {
      const { node, ttlMs } = this.#options;
      const before = this.#id;
      const { userId, device = "", data = {} } = input;
      const opened = await node.create({ userId, device, data, ttlMs });
      if (before) await node.destroy(before);
      this.#send(opened);
      return this.#know(opened);
    });
  }

  regenerate(): Promise<Session> {
    return this.#answer(async () => {
      const rotated = await this.#options.node.rotate((await this.#mine()).id);
      this.#send(rotated);
      return this.#know(rotated);
    });
  }

  touch(): Promise<Session> {
    return this.#answer(async () => {
      const { node, ttlMs } = this.#options;
      const touched = await node.touch((await this.#mine()).id, ttlMs);
      this.#send(touched);
      return this.#know(touched);
    });
  }

  destroy(): Promise<void> {
    return this.#answer(async () => {
      if (this.#id) await this.#options.node.destroy(this.#id);
      this.#id = undefined;
      this.#found = Promise.resolve(null);
      this.#reply.clearCookie(this.#name, { path: "/" });
    });
  }

  async #mine(): Promise<Session> {
    const found = await this.get();
    if (!found) throw notFound();
    return found;
  }

  #know(session: Session): Session {
    this.#id = session.id;
    this.#found = Promise.resolve(session);
    return session;
  }

  #send({ id }: Session): void {
    this.#reply.setCookie(this.#name, id, {
      path: "/",
      signed: true,
      httpOnly: true,
      sameSite: "lax",
      secure: this.#options.secure ?? true,
      // How long, not until when: the clocks of browsers are not ours.
      maxAge: Math.floor(this.#options.ttlMs / 1_000),
    });
  }

  async #answer<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const known = asHttpError(error);
      // Also where the application answers errors in a way of its own.
      if (isUnavailable(known)) this.#reply.header("retry-after", RETRY_AFTER_S);
      else this.#request.log.debug({ err: known }, "session");
      throw known;
    }
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof Error && "statusCode" in error && error.statusCode === 503;
}
