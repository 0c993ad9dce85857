import { createHash, randomBytes } from "node:crypto";

export const newId = (): string => randomBytes(32).toString("base64url");

/** Ids have 256 random bits, so a plain hash can't be reversed by guessing. */
export const digestOf = (id: string): string => createHash("sha256").update(id).digest("hex");

export function checkTtl(ttlMs: number): number {
  if (!Number.isFinite(ttlMs) || ttlMs <= 0)
    throw new RangeError("ttlMs must be a positive number");
  return Math.max(1, Math.round(ttlMs));
}

export function checkVersion(version: number): number {
  if (!Number.isSafeInteger(version)) throw new RangeError("expectedVersion must be an integer");
  return version;
}

export function encodeData(data: unknown): string {
  if (typeof data !== "object" || data === null) throw new TypeError("data must be an object");
  return JSON.stringify(data);
}
