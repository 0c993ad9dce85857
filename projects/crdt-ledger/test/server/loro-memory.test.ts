import * as loro from "loro-crdt";
import { expect, test } from "vitest";
import { makeRoom } from "../../src/server/loro-memory.ts";

test("Loro's memory has room for as much again, and doesn't grow until that is used", () => {
  const { memory } = (loro as unknown as { __wasm: { memory: { buffer: ArrayBuffer } } }).__wasm;
  const doc = new loro.LoroDoc();
  const text = doc.getText("text");
  const fill = (bytes: number) => {
    while (memory.buffer.byteLength < bytes) text.insert(0, "x".repeat(1_000_000));
  };
  fill(40_000_000);
  const before = memory.buffer;
  const used = before.byteLength;
  makeRoom();
  expect(memory.buffer.byteLength).toBeGreaterThanOrEqual(2 * used);

  const { buffer } = memory;
  for (let i = 0; i < 5; i++) text.insert(0, "x".repeat(1_000_000));
  makeRoom();
  expect(memory.buffer).toBe(buffer);
  doc.free();
});
