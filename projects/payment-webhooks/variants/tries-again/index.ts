import type { Submission } from "../../contract.ts";
import { migrate } from "./migrate.ts";
import { Node } from "./node.ts";

export default {
  migrate,
  async createNode(config) {
    return new Node(config);
  },
} satisfies Submission;
