/** Throws what is no error, or only looks like one, hoping that the grader trips over it. */
export default {
  async createNode() {
    return {
      async answer() {
        const error = new Error("odd");
        Object.defineProperty(error, "message", { value: { toString: null } });
        Object.defineProperty(error, "name", { value: 7 });
        Object.defineProperty(error, "stack", { value: ["a", "list"] });
        throw error;
      },
    };
  },
};
