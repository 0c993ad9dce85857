/**
 * Session ids: 256 random bits that only the browser keeps. Stores and cache keys hold the SHA-256,
 * so a leaked table or a Redis dump opens no session. Looking up by hash also makes the comparison
 * safe against timing: what an attacker can measure is a prefix of a hash that he can't steer.
 */
import { hash, randomBytes } from "node:crypto";

const ID_BYTES = 32;
/** 32 bytes in base64url without padding. */
const ID_PATTERN = /^[A-Za-z0-9_-]{43}$/;

export function newId(): string {
  return randomBytes(ID_BYTES).toString("base64url");
}

/** Cheap refusal of what can't be an id, before any store is asked. */
export function isId(id: unknown): id is string {
  return typeof id === "string" && ID_PATTERN.test(id);
}

export function hashOf(id: string): Buffer {
  return hash("sha256", id, "buffer");
}

/** The same as text: as a key of the cache, in a third of the time. */
export function hexHashOf(id: string): string {
  return hash("sha256", id, "hex");
}
