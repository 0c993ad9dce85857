import { spawnSync } from "node:child_process";

/** Starts a process twice removed, in a session of its own, that would live for hours. */
export default {
  async createNode() {
    return {
      async answer() {
        spawnSync("sh", ["-c", "setsid sleep 31337 >/dev/null 2>&1 </dev/null &"]);
        return 4711;
      },
    };
  },
};
