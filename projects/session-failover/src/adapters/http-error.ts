/** A session error as web frameworks understand it: Express and Fastify honour these properties. */
import { SessionError } from "../errors.ts";

/** How long a client should wait before it tries again, in seconds. */
export const RETRY_AFTER_S = 1;

export class HttpSessionError extends Error {
  override readonly name = "HttpSessionError";
  readonly code: string;
  readonly statusCode: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(statusCode: number, { code, message }: { code: string; message: string }) {
    super(message);
    this.code = code;
    this.statusCode = statusCode;
    this.status = statusCode;
    this.headers = statusCode === 503 ? { "Retry-After": String(RETRY_AFTER_S) } : {};
  }
}

/** What the browser is told says nothing about the stores; the cause stays on the error, for the log. */
export function asHttpError(error: unknown): unknown {
  if (!(error instanceof SessionError)) return error;
  const { code } = error;
  const made = {
    NOT_FOUND: () =>
      new HttpSessionError(401, { code, message: "There is no session: sign in first." }),
    VERSION_CONFLICT: () =>
      new HttpSessionError(409, { code, message: "The session was changed by another request." }),
    STORE_UNAVAILABLE: () =>
      new HttpSessionError(503, { code, message: "Sessions are not available at the moment." }),
  }[code]();
  made.cause = error;
  return made;
}
