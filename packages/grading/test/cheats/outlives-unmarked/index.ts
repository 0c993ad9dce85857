import { spawnSync } from "node:child_process";

/** The same with nothing in its environment, where the grader's mark would be. */
export default {
  async createNode() {
    return {
      async answer() {
        spawnSync("sh", ["-c", "env -i setsid sleep 31337 >/dev/null 2>&1 </dev/null &"]);
        return 4711;
      },
    };
  },
};
