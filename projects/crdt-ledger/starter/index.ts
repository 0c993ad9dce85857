/** Your answer starts here. The README says what each task asks; contract.ts, what each call promises. */
import type { Submission } from "../contract.ts";

export default {
  async migrate() {},
  async createNode({ role }) {
    throw new Error(role === "replica" ? "task 1: make a replica" : "task 6: make a server");
  },
} satisfies Submission;
