/** Session ids: random, and short enough for a cookie and a log line. Stores hold the SHA-256. */
import { createHash, randomBytes } from "node:crypto";

const ID_PATTERN = /^[0-9a-f]{16}$/;

export function newId(): string {
  return randomBytes(8).toString("hex");
}

export function isId(id: unknown): id is string {
  return typeof id === "string" && ID_PATTERN.test(id);
}

export function hashOf(id: string): Buffer {
  return createHash("sha256").update(id).digest();
}
