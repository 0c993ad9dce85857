import type { Submission } from "../contract.ts";
import { Node } from "./node.ts";

export default {
  async migrate(_store) {
    // Task 2: what each store needs beside its accounts.
  },
  async createNode(config) {
    return new Node(config);
  },
} satisfies Submission;
