/**
 * Variant: works as Microsoft's Database Tuning Advisor does. For each statement the best indexes by themselves,
 * pairs of them merged, and Greedy(m, k) over what that makes, until time is up. The planner says which of them
 * it would use; what that costs is measured.
 */
import type { Submission } from "../../contract.ts";
import { AdvisorNode } from "./node.ts";

export default {
  async createNode(config) {
    return new AdvisorNode(config);
  },
} satisfies Submission;
