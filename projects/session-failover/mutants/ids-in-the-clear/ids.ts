/** Session ids: 128 random bits, which are their own key in every store. */
import { randomBytes } from "node:crypto";

const ID_PATTERN = /^[0-9a-f]{32}$/;

export function newId(): string {
  return randomBytes(16).toString("hex");
}

export function isId(id: unknown): id is string {
  return typeof id === "string" && ID_PATTERN.test(id);
}

/** What it is stored under. It has the length of a SHA-256. */
export function hashOf(id: string): Buffer {
  return Buffer.from(id);
}
