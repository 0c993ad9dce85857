/** Every error that a caller can see is made here. */

export class WebhookError extends Error {
  override readonly name = "WebhookError";
  readonly code: "STORE_UNAVAILABLE" | "CONFIG_INVALID";

  constructor(code: WebhookError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** PostgreSQL gave no answer, or none in time: whether a write happened is unknown. */
export function unavailable(cause: unknown): WebhookError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new WebhookError("STORE_UNAVAILABLE", `PostgreSQL gave no answer in time (${reason}).`, {
    cause,
  });
}
