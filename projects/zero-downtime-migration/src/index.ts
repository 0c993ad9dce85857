import type { Submission } from "../contract.ts";
import { settingsOf } from "./config.ts";
import { migrate } from "./migrations.ts";
import { Node } from "./node.ts";

export default {
  migrate,
  async createNode(config) {
    return new Node(settingsOf(config));
  },
} satisfies Submission;
