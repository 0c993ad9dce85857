/**
 * Your submission starts here. The brief (README.md) explains the tasks; contract.ts says exactly what
 * each function promises. Change anything in this folder, add files, throw files away: the grader only
 * calls what this file exports.
 */
import type { Submission } from "../contract.ts";
import { AdvisorNode } from "./node.ts";

export default {
  async createNode(config) {
    return new AdvisorNode(config);
  },
} satisfies Submission;
