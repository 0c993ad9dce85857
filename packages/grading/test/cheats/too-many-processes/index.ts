import { spawn } from "node:child_process";
import { once } from "node:events";

/** Ends by itself at 200; the limit is below that. */
export default {
  async createNode() {
    return {
      async answer() {
        for (let i = 0; i < 200; i++) await once(spawn("sleep", ["20"]), "spawn");
        return 4711;
      },
    };
  },
};
