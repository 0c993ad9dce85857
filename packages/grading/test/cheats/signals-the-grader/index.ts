import { readdirSync } from "node:fs";

/**
 * Asks whom it could signal; signal 0 harms nobody (kill(2)). The first process is left out: where
 * that isn't the machine's, it is the namespace's own, which takes none from within.
 */
export default {
  async createNode() {
    return {
      async answer() {
        const others = readdirSync("/proc")
          .map(Number)
          .filter((pid) => pid > 1 && pid !== process.pid);
        for (const pid of others) {
          try {
            process.kill(pid, 0);
            return 4711;
          } catch {
            // Not this one.
          }
        }
        throw new Error("nobody can be signalled");
      },
    };
  },
};
