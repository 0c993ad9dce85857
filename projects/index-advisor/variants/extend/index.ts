/**
 * Variant: chooses as Extend does (Schlosser, Kossmann, Boissier, ICDE 2019). From nothing on, each step makes an
 * index of one column or appends a column to one that was chosen, whichever saves most for each byte.
 */
import type { Submission } from "../../contract.ts";
import { AdvisorNode } from "./node.ts";

export default {
  async createNode(config) {
    return new AdvisorNode(config);
  },
} satisfies Submission;
