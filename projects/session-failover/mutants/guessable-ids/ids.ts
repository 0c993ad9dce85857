/** Session ids that sort by age: time, process, counter, and a few random digits. Stores hold the SHA-256. */
import { createHash, randomBytes } from "node:crypto";

const ID_PATTERN = /^[0-9a-f]{12}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/;

let counter = 0;

/** Unique across processes and restarts. */
export function newId(): string {
  const hex = (value: number, length: number): string => value.toString(16).padStart(length, "0");
  const random = randomBytes(4).toString("hex");
  return `${hex(Date.now(), 12)}-${hex(process.pid, 8)}-${hex(++counter, 8)}-${random}`;
}

export function isId(id: unknown): id is string {
  return typeof id === "string" && ID_PATTERN.test(id);
}

export function hashOf(id: string): Buffer {
  return createHash("sha256").update(id).digest();
}
