import { appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Ends by itself at 256 MiB; the limit is below that. */
export default {
  async createNode() {
    return {
      async answer() {
        const piece = Buffer.alloc(16 << 20, 1);
        for (let i = 0; i < 16; i++) appendFileSync(join(tmpdir(), `large-${i % 4}`), piece);
        return 4711;
      },
    };
  },
};
