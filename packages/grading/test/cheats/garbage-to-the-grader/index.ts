import { writeSync } from "node:fs";

/** A frame that says it has four gigabytes: who believes it waits, or hoards. */
export default {
  async createNode() {
    for (const fd of [3, 4, 5]) {
      try {
        writeSync(fd, Buffer.alloc(64, 255));
      } catch {
        // This one is not open.
      }
    }
    return { answer: async () => 4711 };
  },
};
