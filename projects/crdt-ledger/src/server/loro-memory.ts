/**
 * Loro's memory, which all documents of a process share. By itself it grows 64 KB at a time, and each time V8 takes all
 * of it for memory that has come on top: from 64 MB on it collects all garbage each time, which takes longer than
 * what Loro does with the 64 KB.
 */
import * as loro from "loro-crdt";

const MB = 1_024 * 1_024;
/** V8 doesn't mind before it is twice that (`kExternalAllocationSoftLimit`). */
const FROM_BYTES = 32 * MB;
const MOST_BYTES = 512 * MB;
/** More than that is not for the asking: Loro's addresses have 32 bits. */
const LAST_BYTES = 2_048 * MB;
const BYTE = 1;

/** What wasm-bindgen makes of any library; for Node.js it is there for all to use. */
interface Wasm {
  readonly memory: { readonly buffer: ArrayBuffer };
  __wbindgen_malloc(bytes: number, align: number): number;
  __wbindgen_free(at: number, bytes: number, align: number): void;
}

const { __wasm: wasm } = loro as { readonly __wasm?: Wasm };
let known: ArrayBuffer | undefined;

/**
 * Where it has grown by itself, it grows once more, at once, to twice its size: Loro has what it was given and gave
 * back, and nobody else has what isn't written to yet. To be called often.
 */
export function makeRoom(): void {
  if (!wasm || wasm.memory.buffer === known) return;
  const { byteLength } = wasm.memory.buffer;
  if (byteLength >= FROM_BYTES && byteLength < LAST_BYTES) {
    const room = Math.min(byteLength, MOST_BYTES);
    try {
      wasm.__wbindgen_free(wasm.__wbindgen_malloc(room, BYTE), room, BYTE);
    } catch {
      // Where there isn't that much, nothing has been taken: it goes on as before.
    }
  }
  known = wasm.memory.buffer;
}
