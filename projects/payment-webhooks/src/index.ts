/** The reference solution: PostgreSQL decides, in one transaction for each event; Redis spares it duplicates. */
import type { Submission } from "../contract.ts";
import { validated } from "./config.ts";
import { Node } from "./node.ts";
import { migrate } from "./postgres/migrate.ts";

export default {
  migrate,
  async createNode(config) {
    return new Node(validated(config));
  },
} satisfies Submission;
