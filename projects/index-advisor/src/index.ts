import type { Submission } from "../contract.ts";
import { settingsOf } from "./config.ts";
import { Node } from "./node.ts";

export default {
  async createNode(config) {
    return new Node(settingsOf(config));
  },
} satisfies Submission;
